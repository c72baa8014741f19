// Call each operation with the vendor's classic Node client.
//
// Run by test_clients.py. It expects what the client's own live tests expect, which is the observed
// wire, and prints the outcome of each operation as one line of JSON.

const assert = require("node:assert");

async function main(folder, url, accountId, key, secret, userId) {
  // The client decides between http and https when it is loaded, by the prefix in the environment.
  const prefix = encodeURIComponent(url);
  process.env.CLOUDINARY_URL = `cloudinary://unused:unused@unused?upload_prefix=${prefix}`;
  const { account } = require(folder).v2.provisioning;
  // A fresh object a call: the client writes into its options.
  const options = () => ({
    account_id: accountId,
    provisioning_api_key: key,
    provisioning_api_secret: secret,
  });

  let id;
  const ids = (result) => result.users.map((user) => user.id);
  const checks = {
    async createUserGroup() {
      const group = await account.create_user_group("Interop", options());
      id = group.id;
      assert.strictEqual(group.name, "Interop");
    },
    async getUserGroups() {
      const { user_groups: groups } = await account.user_groups(options());
      assert.ok(groups.some((group) => group.id === id));
    },
    async getUserGroup() {
      assert.strictEqual((await account.user_group(id, options())).name, "Interop");
    },
    async updateUserGroup() {
      assert.strictEqual((await account.update_user_group(id, "Renamed", options())).name, "Renamed");
    },
    async addUserToUserGroup() {
      assert.deepStrictEqual(ids(await account.add_user_to_group(id, userId, options())), [userId]);
    },
    async getUsersInUserGroup() {
      assert.deepStrictEqual(ids(await account.user_group_users(id, options())), [userId]);
    },
    async removeUserFromUserGroup() {
      assert.deepStrictEqual(ids(await account.remove_user_from_group(id, userId, options())), []);
    },
    async deleteUserGroup() {
      assert.strictEqual((await account.delete_user_group(id, options())).ok, true);
    },
  };
  for (const [operation, check] of Object.entries(checks)) {
    let problem = null;
    try {
      await check();
    } catch (error) {
      problem = error instanceof Error ? error.message : JSON.stringify(error);
    }
    console.log(JSON.stringify({ operation, problem }));
  }
}

main(...process.argv.slice(2));
