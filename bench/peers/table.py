"""The report of peers.sh: table.py SAMPLES.csv FACTS.tsv [--json FILE].

A line of samples is traffic,bytes,round,name,figure; of facts name<TAB>text.
"""

import argparse
import collections
import csv
import json
import statistics

UNITS = {"stream": "GB/s", "latency": "us"}
HEADS = {
    "stream": "streams: GB/s (10^9 bytes); `x bare` above 1 is better, `hawser x` above 1: hawser is faster",
    "latency": "ping-pong: median of half round trips in us; `x bare` below 1 is better, "
    "`hawser x` below 1: hawser is faster",
}


def read_samples(path):
    """{(traffic, bytes): {name: {round: figure}}}, in the order of their first lines."""
    samples = collections.defaultdict(lambda: collections.defaultdict(dict))
    with open(path, encoding="utf-8") as file:
        for traffic, size, round_, name, figure in csv.reader(file):
            samples[traffic, int(size)][name][int(round_)] = float(figure)
    return samples


def read_facts(path):
    with open(path, encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t", 1)) for line in file]


def spread(values):
    values = list(values)
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "samples": values}


def ratios(over, under):
    """Of the samples of the same round."""
    return spread(over[round_] / under[round_] for round_ in sorted(over) if under.get(round_))


def rows_of(samples):
    for (traffic, size), by_name in samples.items():
        names = sorted(by_name, key=lambda name: ({"bare": 0, "hawser": 1}.get(name, 2), name))
        for name in names:
            figures = by_name[name]
            yield {
                "traffic": traffic,
                "message_bytes": size,
                "name": name,
                "unit": UNITS[traffic],
                "figure": spread(figures[round_] for round_ in sorted(figures)),
                "over_bare": ratios(figures, by_name.get("bare", {})),
                "hawser_over": ratios(by_name.get("hawser", {}), figures),
            }


def size_text(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size % 1024 or unit == "GiB":
            return f"{size} {unit}"
        size //= 1024
    return ""


def spread_text(values, digits):
    if values is None:
        return "-"
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}-{values['max']:.{digits}f})"


def section(traffic, rows):
    lines = [f"\n--- {HEADS[traffic]} ---"]
    lines.append(f"{'message':>8}  {'':<10} {UNITS[traffic]:>22}  {'x bare':>18}  {'hawser x':>18}")
    size = None
    for row in rows:
        shown = "" if row["message_bytes"] == size else size_text(row["message_bytes"])
        size = row["message_bytes"]
        over_bare = "-" if row["name"] == "bare" else spread_text(row["over_bare"], 2)
        hawser_over = "-" if row["name"] == "hawser" else spread_text(row["hawser_over"], 2)
        lines.append(
            f"{shown:>8}  {row['name']:<10} {spread_text(row['figure'], 3):>22}  {over_bare:>18}  {hawser_over:>18}"
        )
    return lines


def table(facts, rows):
    width = max(len(name) for name, _ in facts) + 1
    lines = ["=== peers over loopback, two processes each: median of the rounds (least-most) ==="]
    lines += [f"{name + ':':<{width}} {text}" for name, text in facts]
    for traffic in UNITS:
        of_traffic = [row for row in rows if row["traffic"] == traffic]
        if of_traffic:
            lines += section(traffic, of_traffic)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("samples")
    parser.add_argument("facts")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    facts = read_facts(arguments.facts)
    rows = list(rows_of(read_samples(arguments.samples)))
    print(table(facts, rows))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"facts": [{"name": n, "text": t} for n, t in facts], "rows": rows}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
