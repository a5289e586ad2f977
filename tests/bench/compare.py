"""Measures whole processes of oci and its peers in turns and prints a Markdown table. Started by tests/bench/run."""

import argparse
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

Command = list[str]


@dataclass(frozen=True)
class Budget:
    """oci may take at most `factor` of what the peer takes; without a peer, `factor` is milliseconds or MiB."""

    factor: float
    peer: str | None = None

    def text(self, unit: str) -> str:
        if self.peer is None:
            return f"{self.factor:g} {unit}"
        return f"1/{1 / self.factor:.3g} of {self.peer}" if self.factor < 1 else f"{self.factor:g} x {self.peer}"

    def is_met(self, results: dict[str, float]) -> bool:
        reference = 1.0 if self.peer is None else results[self.peer]
        return results["oci"] <= self.factor * reference


@dataclass(frozen=True)
class Row:
    """One line of the table: the same task for each tool."""

    what: str
    tools: dict[str, Command]
    rounds: int
    limits: tuple[Budget, ...] = ()
    goals: tuple[Budget, ...] = ()
    reset: dict[str, Callable[[], None]] | None = None
    unit: str = "ms"


def spawn(command: Command, log: pathlib.Path) -> float:
    """Runs a command to its end and returns its time in milliseconds."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    start = time.perf_counter_ns()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status = os.waitpid(process, 0)
    elapsed = (time.perf_counter_ns() - start) / 1e6
    if status != 0:
        sys.exit(f"Error: {' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}\n{log.read_text()[-2000:]}")
    return elapsed


def peak(command: Command, log: pathlib.Path) -> float:
    """Runs a command and returns the peak resident memory of its largest process, in MiB."""
    # time(1) is small: a child of this interpreter would start with the interpreter's own peak
    report = log.with_suffix(".memory")
    spawn(["/usr/bin/time", "--format", "%M", "--output", str(report), *command], log)
    return int(report.read_text()) / 1024


def measure(row: Row, log: pathlib.Path) -> dict[str, float]:
    """Medians by tool. The tools take turns, so that a slow minute of the machine meets all of them."""
    samples: dict[str, list[float]] = {tool: [] for tool in row.tools}
    take = peak if row.unit == "MiB" else spawn
    for turn in range(row.rounds + 1):
        for tool, command in row.tools.items():
            if row.reset is not None:
                row.reset[tool]()
            sample = take(command, log)
            if turn > 0:  # the first turn warms caches
                samples[tool].append(sample)
    return {tool: statistics.median(values) for tool, values in samples.items()}


def moving_away(*paths: pathlib.Path) -> Callable[[], None]:
    """Gives the next pull an empty store. Nothing is deleted: for half a minute ext4 makes files slowly where many were."""

    def reset() -> None:
        for path in paths:
            subprocess.run(["umount", str(path / "overlay")], stderr=subprocess.DEVNULL, check=False)  # podman's own
            if path.exists():
                path.rename(path.with_name(f"old-{time.monotonic_ns()}"))
        os.sync()  # else the next tool waits for what this one has not written yet

    return reset


def running(*command: str) -> Callable[[], None]:
    def reset() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        os.sync()

    return reset


def in_parallel(command: Command) -> Command:
    return ["sh", "-c", 'seq 50 | xargs -P 4 -I "{}" "$@"', "sh", *command]


def plan(options: argparse.Namespace, temp: pathlib.Path) -> tuple[list[Command], list[Row]]:
    """The commands that fetch the image of all the lines that are not about pulling, and the lines."""
    oci = [options.oci, "--root", f"{temp}/oci", "--runroot", f"{temp}/oci-run"]
    cold_oci = [options.oci, "--root", f"{temp}/oci-cold", "--runroot", f"{temp}/oci-run"]
    cold_podman = ["podman", "--root", f"{temp}/podman-cold", "--runroot", f"{temp}/podman-cold-run", "--storage-driver", "overlay"]
    podman = ["podman", "--root", f"{temp}/podman", "--runroot", f"{temp}/podman-run", "--storage-driver", "overlay"]
    docker = ["docker", "--host", f"unix://{temp}/docker.sock"]
    directories = [options.oci, "--root", f"{temp}/oci-directories", "--runroot", f"{temp}/oci-run", "--snapshotter", "directory"]
    small, big, layers, many = (f"{options.registry}/bench/{name}:1" for name in ("small", "big", "layers", "many"))

    def engines(*arguments: str, podman_only: tuple[str, ...] = ()) -> dict[str, Command]:
        verb, rest = arguments[0], arguments[1:]
        tools = {"oci": [*oci, verb, *rest], "podman": [*podman, verb, *podman_only, *rest]}
        return tools | ({"docker": [*docker, verb, *rest]} if options.docker else {})

    def pull(image: str) -> dict[str, Command]:
        return engines("pull", image, podman_only=("--tls-verify=false",))

    def cold_pull(image: str) -> dict[str, Command]:
        return pull(image) | {
            "oci": [*cold_oci, "pull", image],
            "podman": [*cold_podman, "pull", "--tls-verify=false", image],
        }

    def fresh(image: str) -> dict[str, Callable[[], None]]:
        return {
            "oci": moving_away(temp / "oci-cold"),
            "podman": moving_away(temp / "podman-cold", temp / "podman-cold-run"),
            "docker": running(*docker, "rmi", "--force", image),  # its daemon has one store
            "skopeo": moving_away(temp / "skopeo"),
        }

    skopeo = ["skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", f"docker://{big}", f"oci:{temp}/skopeo:1"]
    run = engines("run", "--rm", "--network", "none", small, "true")
    runc = ["runc", "--root", f"{temp}/runc", "run", "--bundle", f"{temp}/bundle", "bench"]
    unshare = ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "chroot", f"{temp}/rootfs", "/bin/true"]
    offline = ("run", "--rm", "--network", "none")
    read_all = (*offline, big, "busybox", "sh", "-c", "busybox find / -xdev -type f -exec busybox cat {} + >/dev/null")

    def by_form(arguments: tuple[str, ...]) -> dict[str, Command]:
        return {"oci": [*oci, *arguments], "oci (directories)": [*directories, *arguments]}

    engine_peers = ("podman", "docker") if options.docker else ("podman",)
    rows = [
        Row(f"pull: {describe(temp)}", cold_pull(big) | {"skopeo": skopeo}, options.pulls,
            (Budget(1 / 2, "podman"),),
            (*(Budget(1 / 8, peer) for peer in engine_peers), Budget(1.3, "skopeo")), fresh(big)),
        Row("pull: 60 small layers", cold_pull(layers), options.pulls,
            (Budget(1 / 2, "podman"),), (Budget(1 / 6, "podman"),), fresh(layers)),
        Row("pull: 100,000 small files", cold_pull(many), options.pulls,
            (Budget(1 / 2, "podman"),), (Budget(1 / 8, "podman"),), fresh(many)),
        Row("pull: nothing new", pull(small), options.runs, (Budget(40),), (Budget(25),)),
        Row("run --rm --network none IMAGE true", run | {"runc": runc, "unshare": unshare}, options.runs,
            (Budget(1 / 8, "podman"),),
            (Budget(1 / 12, "podman"), Budget(1 / 2, "runc"), Budget(3, "unshare"))),
        Row("run from EROFS and from directories", by_form((*offline, small, "true")), options.runs,
            goals=(Budget(1, "oci (directories)"),)),
        Row("run that reads every file of the big layer", by_form(read_all), options.pulls,
            goals=(Budget(1, "oci (directories)"),)),
        Row("50 containers, four at a time", {tool: in_parallel(command) for tool, command in run.items()},
            min(options.pulls, 3), goals=(Budget(1 / 8, "podman"),)),
        Row("--version", {tool: [*command, "--version"] for tool, command in
                          {"oci": [options.oci], "podman": ["podman"], "docker": ["docker"]}.items()},
            options.runs, goals=(Budget(6),)),
        Row("images", engines("images"), options.runs, goals=(Budget(6),)),
        Row("inspect IMAGE", engines("inspect", small), options.runs, goals=(Budget(6),)),
        Row("peak memory: pull of the big layer",
            {tool: command for tool, command in cold_pull(big).items() if tool != "docker"} | {"skopeo": skopeo},
            min(options.pulls, 3), (Budget(96),), (Budget(64),), fresh(big), unit="MiB"),
        Row("peak memory: pull of 60 small layers", {"oci": cold_pull(layers)["oci"]}, min(options.pulls, 3),
            goals=(Budget(64),), reset=fresh(layers), unit="MiB"),
        Row("peak memory: pull of 100,000 small files", {"oci": cold_pull(many)["oci"]}, min(options.pulls, 3),
            goals=(Budget(64),), reset=fresh(many), unit="MiB"),
        Row("peak memory: run", {tool: run[tool] for tool in ("oci", "podman")}, min(options.runs, 5),
            goals=(Budget(25),), reset=None, unit="MiB"),
    ]
    wanted = [row for row in rows if row.what.startswith(options.only) and not (options.quick and row.what.startswith("50 "))]
    return [*pull(small).values(), *(by_form(("pull", image))[tool] for image in (small, big) for tool in by_form(()))], wanted


def describe(temp: pathlib.Path) -> str:
    files = sum(len(names) for _, _, names in os.walk(temp / "big"))
    layer = max(path.stat().st_size for path in (temp / "images/blobs/sha256").iterdir())
    return f"one gzip layer, {layer / 1e6:.0f} MB, {files:,} files"


def cell(results: dict[str, float], tool: str, unit: str) -> str:
    if tool not in results:
        return "-"
    value = results[tool]
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def verdicts(budgets: tuple[Budget, ...], results: dict[str, float], unit: str) -> str:
    return ", ".join(f"{budget.text(unit)}{'' if budget.is_met(results) else ' **missed**'}" for budget in budgets) or "-"


def ratios(results: dict[str, float]) -> str:
    def ratio(peer: str) -> str:
        quotient = results["oci"] / results[peer]
        return f"1/{1 / quotient:.3g} of {peer}" if quotient < 1 else f"{quotient:.2f} x {peer}"

    return ", ".join(ratio(peer) for peer in results if peer != "oci")


def markdown(table: list[tuple[Row, dict[str, float]]]) -> str:
    tools = ("oci", "podman", "docker", "skopeo", "runc", "unshare", "oci (directories)")
    lines = [f"| median | {' | '.join(tools)} | oci takes | limit | goal |", f"|---{'|---' * (len(tools) + 3)}|"]
    for row, results in table:
        cells = " | ".join(cell(results, tool, row.unit) for tool in tools)
        lines.append(f"| {row.what} | {cells} | {ratios(results)} | {verdicts(row.limits, results, row.unit)} "
                     f"| {verdicts(row.goals, results, row.unit)} |")
    return "\n".join(lines) + "\n"


def short_markdown(table: list[tuple[Row, dict[str, float]]]) -> str:
    """The README's table: what people do, without budgets."""
    lines = ["| | oci | podman | docker |", "|---|---|---|---|"]
    for row, results in table:
        if row.what.startswith(("pull", "run", "peak memory: pull")) and "podman" in results:
            lines.append(f"| {row.what} | " + " | ".join(cell(results, tool, row.unit) for tool in ("oci", "podman", "docker")) + " |")
    return "\n".join(lines) + "\n"


def machine(options: argparse.Namespace) -> str:
    def first_line(*command: str) -> str:
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return output.splitlines()[0].strip() if output else "unknown"

    processor = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), os.uname().machine)
    versions = [first_line(options.oci, "--version"), first_line("podman", "--version"), first_line("docker", "--version"),
                first_line("skopeo", "--version"), first_line("runc", "--version")]
    size = pathlib.Path(options.oci).stat().st_size / 1e6
    return (f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores of {processor}, Linux {os.uname().release}; "
            f"{'; '.join(versions)}; the binary is {size:.1f} MB. {options.pulls} rounds of each pull, {options.runs} of each run.")


def write(repository: pathlib.Path, table: list[tuple[Row, dict[str, float]]], where: str) -> None:
    (repository / "docs/benchmarks.md").write_text(
        "# Benchmarks\n\n"
        "Written by `bash tests/bench/run --write`; do not edit. Whole processes, medians, the tools in turns in one run,\n"
        "the same images from one registry on the loopback device. *limit* fails the run, *goal* is where we want to be.\n"
        "docker's times are those of its client; its daemon does the work and is not in them as memory.\n\n"
        f"{where}\n\n{markdown(table)}")
    readme = repository / "README.md"
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    before, rest = readme.read_text().split(begin)
    readme.write_text(f"{before}{begin}\n{short_markdown(table)}{end}{rest.split(end)[1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--temp", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--oci", required=True)
    parser.add_argument("--docker", action="store_true")
    parser.add_argument("--pulls", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", metavar="REPOSITORY")
    options = parser.parse_args()
    temp = pathlib.Path(options.temp)
    log = temp / "output"

    table: list[tuple[Row, dict[str, float]]] = []
    preparation, rows = plan(options, temp)
    for command in preparation:
        spawn(command, log)
    for row in rows:
        print(f"measuring {row.what}", file=sys.stderr, flush=True)
        table.append((row, measure(row, log)))

    where = machine(options)
    print(f"{where}\n\n{markdown(table)}", end="")
    if options.write is not None:
        write(pathlib.Path(options.write), table, where)
    return 0 if all(limit.is_met(results) for row, results in table for limit in row.limits) else 1


if __name__ == "__main__":
    sys.exit(main())
