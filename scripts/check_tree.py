#!/usr/bin/env python3
"""Checks what reviews should not have to: who includes whom, sizes, mirrored tests, READMEs.

  scripts/check_tree.py [ROOT]       lists `path:line: rule` and exits 1 if anything is wrong
  scripts/check_tree.py --self-test  breaks each rule in a small tree and sees that it is told
"""
import os
import re
import subprocess
import sys
import tempfile

# The one table of who may include whom; ARCHITECTURE.md quotes it and is compared with it. A folder
# may always include itself. "proto" is the generated code, cairn/v1/*.
MAY_INCLUDE = {
    "common": [],
    "rpc": ["common", "proto"],
    "raft/core": ["common/ids.h", "common/status.h"],
    "raft/storage": ["raft/core", "common", "proto"],
    "raft": ["raft", "rpc", "common", "proto"],
    "metaserver": ["raft", "rpc", "common", "proto"],
    "chunkserver": ["rpc", "common", "proto"],
    "client": ["rpc", "common", "proto"],
    "fuse_client": ["client", "rpc", "common", "proto"],
    "cli": ["client", "rpc", "common", "proto"],
}
OUR_FOLDERS = {folder.split("/")[0] for folder in MAY_INCLUDE} | {"proto", "tests", "bench"}

# Sources without a test file of the same name: the test that covers them, or why there is none.
MIRRORED = ["common", "rpc", "raft", "metaserver", "chunkserver", "client"]
COVERED_BY = {
    # Small pieces of a mechanism whose test drives it whole.
    "chunkserver/replication/member_comparer.cc":
        "tests/chunkserver/replication/group_jobs_test.cc",
    "chunkserver/replication/primary_groups.cc": "tests/chunkserver/replication/group_jobs_test.cc",
    "chunkserver/replication/replica.cc": "tests/chunkserver/replication/write_path_test.cc",
    "chunkserver/replication/replica_context.cc":
        "tests/chunkserver/replication/write_path_test.cc",
    "chunkserver/store/chunk_change.cc": "tests/chunkserver/store/chunk_writer_test.cc",
    "chunkserver/store/chunk_files.cc": "tests/chunkserver/store/chunk_store_test.cc",
    "chunkserver/store/index_database.cc": "tests/chunkserver/store/chunk_index_test.cc",
    "chunkserver/store/store_parts.cc": "tests/chunkserver/store/chunk_store_test.cc",
    "client/attribute_changes.cc": "tests/client/mounted_file_system_test.cc",
    "client/attributes.cc": "tests/client/mounted_file_system_test.cc",
    "client/chunk_client.cc": "tests/client/mounted_file_system_test.cc",
    "client/chunk_write.cc": "tests/client/write_behind_test.cc",
    "client/inode_state.cc": "tests/client/write_behind_test.cc",
    "client/inode_table.cc": "tests/client/mounted_file_system_test.cc",
    "client/local_grant.cc": "tests/client/local_reads_test.cc",
    "client/local_page_view.cc": "tests/chunkserver/local/local_page_test.cc",
    "client/open_file.cc": "tests/client/write_behind_test.cc",
    "client/read_cache.cc": "tests/client/reader_test.cc",
    "common/system_clock.cc": "tests/common/clock_test.cc",
    "metaserver/cluster/chunk_inspector.cc": "tests/cluster/fsck_test.py",
    "metaserver/cluster/chunk_remover.cc": "tests/metaserver/cluster/reaper_test.cc",
    "metaserver/service/cluster_service.cc": "tests/metaserver/server_test.cc",
    "metaserver/session_ticker.cc": "tests/metaserver/server_test.cc",
    # One class, run by the thousand seeds.
    "raft/core/election.cc": "tests/simulation/simulation_test.cc",
    "raft/core/following.cc": "tests/simulation/simulation_test.cc",
    "raft/core/leader_snapshots.cc": "tests/simulation/simulation_test.cc",
    "raft/core/leading.cc": "tests/simulation/simulation_test.cc",
    "raft/core/membership_change.cc": "tests/simulation/simulation_test.cc",
    "raft/core/message.cc": "tests/simulation/simulation_test.cc",
    "raft/core/output.cc": "tests/simulation/simulation_test.cc",
    "raft/core/raft_core.cc": "tests/simulation/simulation_test.cc",
    "raft/core/reads.cc": "tests/scripts/raft_script_test.cc",
    "raft/core/transfer.cc": "tests/scripts/raft_script_test.cc",
    "raft/raft_node_apply.cc": "tests/raft/raft_node_test.cc",
    "raft/raft_node_disk.cc": "tests/raft/raft_node_test.cc",
    "raft/raft_node_open.cc": "tests/raft/raft_node_test.cc",
    "raft/raft_node_stop.cc": "tests/raft/raft_node_test.cc",
    "rpc/connection_reading.cc": "tests/rpc/channel_test.cc",
    "rpc/peer_trust.cc": "tests/metaserver/service/peer_rights_test.cc",
    "rpc/grpc_channel.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/grpc_credentials.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/grpc_reflection.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/grpc_server.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/grpc_status.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/grpc_unary.cc": "tests/rpc/grpc_bridge_test.cc",
    "rpc/listener.cc": "tests/rpc/server_test.cc",
    "rpc/server_call.cc": "tests/rpc/server_test.cc",
    "rpc/server_connection.cc": "tests/rpc/server_test.cc",
    "rpc/socket_bio.cc": "tests/rpc/tls_test.cc",
    "rpc/stream.cc": "tests/rpc/channel_test.cc",
    "rpc/tls_stream.cc": "tests/rpc/tls_test.cc",
    # Only real processes show these.
    "chunkserver/main.cc": "tests/cluster/smoke_test.py",
    "chunkserver/replication/peers.cc": "tests/cluster/smoke_test.py",
    "chunkserver/server.cc": "tests/cluster/smoke_test.py",
    "metaserver/main.cc": "tests/cluster/smoke_test.py",
}
NO_TEST = {"chunkserver/service/fault_service.cc": "one call into common/fault_plan, tested there"}

MAX_LINES = 400
MAX_COLUMNS = {".h": 100, ".cc": 100, ".py": 100, ".sh": 100, ".proto": 140, ".cmake": 140}
CODE = set(MAX_COLUMNS)
README_LINES = (10, 40)
README_FOLDERS = sorted({folder.split("/")[0] for folder in MAY_INCLUDE} | {"proto", "bench"})
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME"]) + r")\b")
OWN_CONSTANT = re.compile(r"^(?:constexpr|const) .*?\b(k[A-Z]\w*)\b *[{=\[]")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')


def tree_files(root):
    for folder, folders, names in os.walk(root):
        inside = os.path.relpath(folder, root)
        folders[:] = sorted(f for f in folders if not skipped(inside, f))
        for name in sorted(names):
            yield os.path.normpath(os.path.join(inside, name))


def skipped(inside, folder):
    if folder in (".git", "node_modules", "__pycache__"):
        return True
    return inside == "." and (folder.startswith("build") or folder in (".cache", ".ccache"))


def kind_of(path):
    if os.path.basename(path) == "CMakeLists.txt":
        return ".cmake"
    return os.path.splitext(path)[1]


def is_script(path, lines):
    return path.endswith(".sh") or bool(lines) and re.match(r"#!.*\b(ba)?sh\b", lines[0])


def owner_of(path):
    """The longest folder of the table that holds `path`."""
    holders = [f for f in MAY_INCLUDE if path.startswith(f + "/")]
    return max(holders, key=len) if holders else None


def may_include(owner, target):
    for allowed in MAY_INCLUDE[owner] + [owner]:
        if target == allowed or target.startswith(allowed + "/"):
            return True
    return False


def check_includes(path, lines):
    owner = owner_of(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match or owner is None:
            continue
        target = re.sub(r"^cairn/v1/", "proto/", match.group(1))
        if target.split("/")[0] in OUR_FOLDERS and not may_include(owner, target):
            yield number, f"{owner} may not include {match.group(1)}"


def check_lines(path, lines):
    limit = MAX_COLUMNS.get(kind_of(path))
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "trailing whitespace"
        if limit and len(line) > limit:
            yield number, f"{len(line)} columns, at most {limit}"
        if UNFINISHED.search(line):
            yield number, "unfinished work is not left in the tree"
    if kind_of(path) in CODE and len(lines) > MAX_LINES:
        yield MAX_LINES + 1, f"{len(lines)} lines, at most {MAX_LINES}: split it"


def check_mirror(path, files):
    if not path.endswith(".cc") or path.split("/")[0] not in MIRRORED or path in NO_TEST:
        return
    mirror = f"tests/{path[:-3]}_test.cc"
    test = COVERED_BY.get(path, mirror)
    if test not in files:
        yield 1, f"no test: {test} is missing"
    elif test != mirror and mirror in files:
        yield 1, "has a test of its own: take it out of COVERED_BY"


def check_hiding(path, lines, lines_of):
    """Compiled together with others, a file's own constant hides a header's of that name."""
    if not path.endswith(".cc"):
        return
    folder = os.path.dirname(path)
    for number, line in enumerate(lines, 1):
        match = OWN_CONSTANT.match(line)
        if not match:
            continue
        shared = re.compile(r"^inline constexpr .*\b" + match.group(1) + r"\b")
        for header, text in lines_of.items():
            near = header.split("/")[0] in {path.split("/")[0], "common", "rpc"} and \
                (not header.startswith("tests/") or os.path.dirname(header) == folder)
            if header.endswith(".h") and near and any(shared.match(each) for each in text):
                yield number, f"{match.group(1)} is also in {header}, which it would hide"


def check_script(root, path, lines):
    if not is_script(path, lines):
        return
    result = subprocess.run(["bash", "-n", os.path.join(root, path)], capture_output=True,
                            text=True, timeout=30, check=False)
    if result.returncode != 0:
        yield 1, "bash -n: " + result.stderr.strip().replace("\n", "; ")


def check_readmes(files, lines_of):
    sources = {}
    for path in files:
        if path.split("/")[0] in README_FOLDERS and kind_of(path) in CODE - {".cmake"}:
            sources.setdefault(os.path.dirname(path), []).append(path)
    for folder, members in sorted(sources.items()):
        readme = f"{folder}/README.md"
        if readme not in files:
            if len(members) >= 3:
                yield readme, 1, f"missing, the folder has {len(members)} files"
            continue
        length = len(lines_of[readme])
        if not README_LINES[0] <= length <= README_LINES[1]:
            yield readme, 1, f"{length} lines, a README has {README_LINES[0]} to {README_LINES[1]}"


def quoted_table(lines):
    """Rows `| folders | folders |` of ARCHITECTURE.md, as {folder: (line, set of folders)}."""
    rows = {}
    inside = False
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            inside = "Who may include whom" in line
        cells = line.split("|")
        if inside and len(cells) >= 4 and "everything" not in cells[2]:
            for folder in re.findall(r"`([^`]+)`", cells[1]):
                allowed = re.findall(r"`([^`]+)`", cells[2])
                rows[folder] = (number, {a.removesuffix("/*") for a in allowed})
    return rows


def check_quote(lines):
    rows = quoted_table(lines)
    for folder, allowed in MAY_INCLUDE.items():
        number, quoted = rows.get(folder, (1, None))
        # A rule that names single headers is quoted by their folder.
        if quoted != {re.sub(r"/[^/]+\.h$", "", a) for a in allowed}:
            yield number, f"include table of `{folder}` differs from scripts/check_tree.py"


def check(root):
    lines_of = {}
    for path in tree_files(root):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines_of[path] = file.read().split("\n")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # an image, a socket, a broken link
        if lines_of[path][-1] == "":
            lines_of[path].pop()
    problems = []
    for path, lines in lines_of.items():
        found = [check_includes(path, lines), check_lines(path, lines),
                 check_mirror(path, lines_of), check_script(root, path, lines),
                 check_hiding(path, lines, lines_of)]
        problems += [(path, number, text) for group in found for number, text in group]
    problems += check_readmes(lines_of, lines_of)
    if "ARCHITECTURE.md" in lines_of:
        quote = check_quote(lines_of["ARCHITECTURE.md"])
        problems += [("ARCHITECTURE.md", number, text) for number, text in quote]
    return sorted(f"{path}:{number}: {text}" for path, number, text in problems)


def architecture():
    rows = []
    for folder, allowed in MAY_INCLUDE.items():
        names = {re.sub(r"/[^/]+\.h$", "", a) for a in allowed}
        rows.append(f"| `{folder}` | " + ", ".join(f"`{n}`" for n in sorted(names)) + " |")
    return "## Who may include whom\n| folder | may include |\n|---|---|\n" + "\n".join(rows) + "\n"


def self_test():
    """Each case is one file put into a good tree, and a part of the line that must come of it."""
    good = {"ARCHITECTURE.md": architecture(),
            "common/a.cc": '#include "common/a.h"\n', "tests/common/a_test.cc": "\n",
            "rpc/b.h": '#include "common/a.h"\n#include "cairn/v1/c.pb.h"\n',
            "rpc/one.h": "inline constexpr int kOne = 1;\n",
            "scripts/good.sh": "#!/bin/bash\ntrue\n"}
    bad = [
        ("common/b.h", '#include "rpc/b.h"\n', "common/b.h:1: common may not include rpc/b.h"),
        ("client/b.h", '\n#include "metaserver/b.h"\n', "client/b.h:2: client may not"),
        ("raft/core/b.h", '#include "common/file.h"\n', "raft/core may not include common/file.h"),
        ("metaserver/b.h", '#include "tests/b.h"\n', "may not include tests/b.h"),
        ("common/long.h", "\n" * 401, "common/long.h:401: 401 lines"),
        ("common/wide.h", "x" * 101 + "\n", "common/wide.h:1: 101 columns"),
        ("proto/wide.proto", "x" * 141 + "\n", "proto/wide.proto:1: 141 columns"),
        ("common/blank.h", "x \n", "common/blank.h:1: trailing whitespace"),
        ("rpc/later.h", "// TO" "DO: more\n", "rpc/later.h:1: unfinished"),
        ("client/untested.cc", "\n", "tests/client/untested_test.cc is missing"),
        ("rpc/hides.cc", "constexpr int kOne{1};\n", "rpc/hides.cc:1: kOne is also in rpc/one.h"),
        ("scripts/broken.sh", "#!/bin/bash\nif true\n", "scripts/broken.sh:1: bash -n"),
        ("rpc/README.md", "short\n", "rpc/README.md:1: 1 lines"),
        ("ARCHITECTURE.md", architecture().replace("| `rpc` | `common`", "| `rpc` | `client`"),
         "include table of `rpc`"),
    ]
    failures = []
    if run_on(good):
        failures.append(f"good tree: {run_on(good)}")
    for path, text, expected in bad:
        found = run_on({**good, path: text})
        if not any(expected in line for line in found):
            failures.append(f"{path}: expected '{expected}', found {found}")
    three = {f"rpc/{name}.h": "\n" for name in "xyz"}
    if not any("rpc/README.md:1: missing" in line for line in run_on({**good, **three})):
        failures.append("three files without a README are not told")
    print("\n".join(failures) or f"self-test: {len(bad) + 2} cases as expected")
    return 1 if failures else 0


def run_on(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return check(root)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    problems = check(root)
    if problems:
        print("\n".join(problems))
        print(f"{len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
