"""scripts/quickstart.sh, as a stranger runs it: twice, and then as it says."""

import os
import pathlib
import shutil
import tempfile

from harness import SOURCE, binaries, main, run


def a_stranger_gets_a_mounted_file_system():
    root = pathlib.Path(tempfile.mkdtemp(prefix="cairn-"))
    directory = root / "quickstart"
    try:
        for _ in range(2):
            said = run(SOURCE / "scripts/quickstart.sh", directory, timeout=3000).stdout
            assert "files, " in said and ": equal" in said, said
            assert os.path.ismount(directory / "mnt"), said
        (directory / "mnt" / "mine").write_text("here")
        run(binaries() / "cairn", "dev", "kill", "chunk", 2, "--dir", directory)
        assert (directory / "mnt" / "mine").read_text() == "here"
    finally:
        run(binaries() / "cairn", "dev", "down", "--wipe", "--dir", directory, check=False)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(a_stranger_gets_a_mounted_file_system)
