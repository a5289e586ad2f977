"""Measures OCI runtimes in turns, by one bundle, and prints a Markdown table. Started by tests/bench/runtime."""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

PROFILE = pathlib.Path("/usr/share/containers/seccomp.json")


def seccomp() -> dict:
    """The default profile of containers-common for a container without special capabilities, as the runtime specification writes it."""
    profile = json.loads(PROFILE.read_text())
    calls = [
        {key: call[key] for key in ("names", "action", "args", "errnoRet") if call.get(key)}
        for call in profile["syscalls"]
        if (call.get("includes") or {}).get("arches", ["amd64"]).count("amd64") and not (call.get("includes") or {}).get("caps")
    ]
    return {"defaultAction": profile["defaultAction"], "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": calls}


def write_bundle(path: pathlib.Path, rootfs: pathlib.Path, arguments: list[str]) -> None:
    path.mkdir(exist_ok=True)
    subprocess.run(["runc", "spec", "--bundle", str(path)], check=True)
    config = json.loads((path / "config.json").read_text())
    config["root"]["path"] = str(rootfs)
    config["process"] |= {"terminal": False, "args": arguments, "env": ["PATH=/bin"], "rlimits": []}
    config["linux"]["resources"] |= {"memory": {"limit": 256 << 20}, "pids": {"limit": 100}, "cpu": {"shares": 512}}
    config["linux"]["seccomp"] = seccomp()
    (path / "config.json").write_text(json.dumps(config))


def take(commands: list[list[str]]) -> tuple[float, float]:
    """Runs commands one after the other: milliseconds of wall time, and of processor time with all children."""
    actions = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in range(3)]
    used, start = 0.0, time.perf_counter_ns()
    for command in commands:
        _, status, usage = os.wait4(os.posix_spawnp(command[0], command, os.environ, file_actions=actions), 0)
        if status != 0:
            sys.exit(f"Error: {' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
        used += usage.ru_utime + usage.ru_stime
    return (time.perf_counter_ns() - start) / 1e6, used * 1e3


def guest_table(log: str) -> list[str]:
    """The lines of tests/guest-runtime --bench as a table."""
    found = re.findall(r"^time  (\S+) (.+): ([\d.]+) ms, processor ([\d.]+) ms$", log, re.MULTILINE)
    times = {(verb, tool): (float(wall), float(used)) for tool, verb, wall, used in found}
    tools = ["oci-runtime", "runc", "crun"]
    table = ["| median: wall time, processor time | " + " | ".join(tools) + " | oci-runtime takes | goal |", "|---" * (len(tools) + 3) + "|"]
    for verb in dict.fromkeys(verb for verb, _ in times):
        cells = [f"{times[verb, tool][0]:.0f} ms, {times[verb, tool][1]:.0f} ms" for tool in tools]
        ratios = [times[verb, "oci-runtime"][1] / times[verb, tool][1] for tool in tools]
        takes = f"{ratios[2]:.2f} of crun's processor time, {ratios[1]:.2f} of runc's"
        table.append(f"| {verb} | " + " | ".join(cells) + f" | {takes} | 1.2 of crun's processor time{'' if ratios[2] <= 1.2 else ' **missed**'} |")
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--temp", type=pathlib.Path, required=True)
    parser.add_argument("--oci", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--guest", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    temp = options.temp
    write_bundle(temp / "short", temp / "rootfs", ["true"])
    write_bundle(temp / "long", temp / "rootfs", ["sleep", "100000"])
    runtimes = {
        "oci-runtime": [options.oci, "--root", f"{temp}/state-oci"],
        "runc": ["runc", "--root", f"{temp}/state-runc"],
    }
    podman = ["podman", "--runtime", "runc", "--root", f"{temp}/podman", "--runroot", f"{temp}/podman-run", "--cgroup-manager", "cgroupfs"]
    limits = ["--network", "none", "--memory", "256m", "--pids-limit", "100"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": True}
    rows = {
        "run": {name: [[*command, "run", "--bundle", f"{temp}/short", "bench"]] for name, command in runtimes.items()}
        | {"podman": [[*podman, "run", "--rm", *limits, "--rootfs", f"{temp}/rootfs", "true"]]},
        "create, start, delete": {
            name: [[*command, "create", "--bundle", f"{temp}/short", "bench"], [*command, "start", "bench"], [*command, "delete", "--force", "bench"]]
            for name, command in runtimes.items()
        },
        "exec": {name: [[*command, "exec", "sleeping", "true"]] for name, command in runtimes.items()}
        | {"podman": [[*podman, "exec", "sleeping", "true"]]},
    }
    tools = [*runtimes, "podman"]
    table = ["| median: wall time, processor time | " + " | ".join(tools) + " | oci-runtime takes | goal |", "|---" * (len(tools) + 3) + "|"]
    try:
        for command in runtimes.values():
            subprocess.run([*command, "run", "--detach", "--bundle", str(temp / "long"), "sleeping"], stderr=subprocess.DEVNULL, **quiet)
        subprocess.run([*podman, "run", "-d", "--name", "sleeping", *limits, "--rootfs", f"{temp}/rootfs", "sleep", "100000"], **quiet)
        for what, commands in rows.items():
            samples: dict[str, list[tuple[float, float]]] = {tool: [] for tool in commands}
            for turn in range(options.rounds + 2):
                for tool, command in commands.items():
                    sample = take(command)
                    if turn > 1:  # the first turns warm caches
                        samples[tool].append(sample)
            wall = {tool: statistics.median(sample[0] for sample in values) for tool, values in samples.items()}
            used = {tool: statistics.median(sample[1] for sample in values) for tool, values in samples.items()}
            cells = [f"{wall[tool]:.1f} ms, {used[tool]:.1f} ms" if tool in wall else "-" for tool in tools]
            ratio = wall["oci-runtime"] / wall["runc"]
            takes = f"{ratio:.2f} of runc's time, {used['oci-runtime'] / used['runc']:.2f} of its processor time"
            table.append(f"| {what} | " + " | ".join(cells) + f" | {takes} | 0.5 of runc's time{'' if ratio <= 0.5 else ' **missed**'} |")
    finally:
        for command in runtimes.values():
            subprocess.run([*command, "delete", "--force", "sleeping"], check=False)
        subprocess.run([*podman, "rm", "--force", "--time", "0", "sleeping"], stdout=subprocess.DEVNULL, check=False)
    log = options.guest.read_text() if options.guest else ""
    if log:
        boot = re.search(r"^guest: (Linux \S+):", log, re.MULTILINE)
        table += ["", f"In a guest with cgroup v2 (software emulation, {boot[1] if boot else 'kernel unknown'}), where crun runs:", "", *guest_table(log)]
    print("\n".join(table))
    if options.write:
        versions = "; ".join(
            subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0] for tool in ("runc", "podman"))
        text = f"""# Benchmarks of the runtime

Written by `bash tests/bench/runtime --guest --write`; do not edit. Whole processes in turns in one run, one bundle: limits of memory, processes and processor, and the
default filter of containers-common. Processor time is that of the process and of all that it waited for.

Linux {os.uname().release}, {os.cpu_count()} cores; {versions}. {options.rounds} rounds.

"""
        (options.write / "docs/benchmarks-runtime.md").write_text(text + "\n".join(table) + "\n")


main()
