"""The figure in what a program wrote: figure.py KIND FILE -> "name figure" lines.

GB/s (10^9 bytes) of a stream, microseconds of half a round trip otherwise.
"""

import csv
import json
import sys


def hawser(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    if "error" in report:
        raise ValueError(report["error"])
    point = report["points"][0]
    for name, key in (("bare", "bare"), ("hawser", "transport")):
        series = point[key]
        yield name, series["half_rtt_us"]["p50"] if "half_rtt_us" in series else series["gb_per_s"]["median"]


def ucx(path, column, scale):
    """The last line of what `ucx_perftest -f -v` writes, under its line of names."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    yield "ucx", float(rows[-1][column]) * scale


def ucx_stream(path):
    return ucx(path, "overall_bw", 2**20 / 1e9)  # its MB are MiB


def ucx_latency(path):
    return ucx(path, "50.0_percentile_lat", 1)


def iperf3(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    if "error" in report:
        raise ValueError(report["error"])
    yield "iperf3", report["end"]["sum_received"]["bits_per_second"] / 8e9


KINDS = {"hawser": hawser, "ucx-stream": ucx_stream, "ucx-latency": ucx_latency, "iperf3": iperf3}


def main():
    kind, path = sys.argv[1:]
    try:
        for name, figure in KINDS[kind](path):
            print(f"{name} {figure:.6f}")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        sys.exit(f"no figure in {path}: {error!r}")


if __name__ == "__main__":
    main()
