// Runs pytest in pyodide: node test_wasm.mjs PYODIDE PACKAGES PROJECT [ARGUMENT...]
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, packages, project, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")));
const write = (stream) => (bytes) => stream.write(bytes) && bytes.length;
const python = await loadPyodide();
python.setStdout({ write: write(process.stdout) });
python.setStderr({ write: write(process.stderr) });
for (const [mount, folder] of [["/packages", packages], ["/project", project]]) {
  python.FS.mkdirTree(mount);
  python.mountNodeFS(mount, folder);
}
python.globals.set("ARGUMENTS", python.toPy(args));
const status = await python.runPythonAsync(`
import os, socket, subprocess, sys, threading

sys.dont_write_bytecode = True
sys.path[:0] = ["/packages", "/project/overlay", "/project/generated"]
os.chdir("/project")
print("CPython", sys.version.split()[0], "on", sys.platform)

import pytest

def missing(what):
    def skip(*args, **kwargs):
        pytest.skip(f"WebAssembly has no {what}")
    return skip

socket.socket.__init__ = missing("sockets")
subprocess.Popen.__init__ = missing("processes")
threading.Thread.start = missing("threads")

int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", *ARGUMENTS]))
`);
process.exit(status);
