// Options have moved from the page of all commands to one for each: old addresses lead there.
document.addEventListener("DOMContentLoaded", () => {
  const name = location.hash.match(/^#(?:cmdoption-)?cld-user-groups-([a-z]+)-/)?.[1];
  if (!name || document.getElementById(location.hash.slice(1))) return;
  const page = document.querySelector(`article td a[href="commands/${name}.html"]`);
  if (page) location.replace(page.href + location.hash);
});
