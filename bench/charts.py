"""Draws what a benchmark measured: docs/performance/*.svg from what is kept in bench/results.

    python -m bench.charts [folder]

It draws what is there of its series (bench/series.py makes them of the scenarios' results), each by
the servers' names, of which ours begin with "ChatTalk"; None is what was not measured:

    {"deliveries": {"200 members, kept in PostgreSQL": {"ChatTalk": 655e3, "Socket.IO": 91e3}, …},
     "latency": {"ChatTalk": {"p50": 1.4, "p99": 2.0, "p999": 3.1}, …},
     "room_sizes": {"ChatTalk": [[2, 9.1e3], [10, 70e3], …], …},
     "rows": {"ChatTalk: 1,000 missed messages": [[1e4, 2.0], [1e7, 2.1]], "the original's": […]}}

`deliveries` and `room_sizes` (members, value) are deliveries per CPU-second of the server and its
stores; `latency` is milliseconds; `rows` is rows of the log and milliseconds.

matplotlib has a virtual environment of its own, made the first time, in which this file runs again.
"""

import hashlib
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.kept import parts
from bench.series import series

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "bench" / "charts"
PINS = ROOT / "requirements-bench.txt"
CHARTS = ROOT / "docs" / "performance"

OURS = "ChatTalk"
# Told apart with any kind of sight, and by their markers: after Okabe and Ito. Ours is the blue.
BLUE, GREY = "#0067a5", "#9aa5b1"
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#b08900", "#5b6770", "#56b4e9", "#7a4fa3", "#2b2b2b")
MARKERS = "sD^vPX<>"
INK, FAINT, PAPER = "#1b2733", "#e4e8ec", "#ffffff"
STYLE = {
    "svg.hashsalt": "chattalk",  # the same file from the same figures
    "svg.fonttype": "path",  # it looks the same everywhere
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "figure.constrained_layout.w_pad": 0.15,  # inches
    "figure.constrained_layout.h_pad": 0.12,
    "grid.color": FAINT,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
}

Lines = Mapping[str, Sequence[Sequence[float]]]


# --- words and numbers --------------------------------------------------------------------------


def short(value: float) -> str:
    """4.6 M, 655 k, 1.4, 0.03."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            value /= size
            digits = f"{value:.1f}" if value < 10 else f"{value:,.0f}"
            return digits.removesuffix(".0") + letter
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def is_ours(name: str) -> bool:
    return name.startswith(OURS)


def looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How each is drawn; ours on top."""
    theirs = [name for name in names if not is_ours(name)]
    mine = [name for name in names if is_ours(name)]
    known = {}
    for place, name in enumerate(theirs):
        colour, marker = OTHERS[place % len(OTHERS)], MARKERS[place % len(MARKERS)]
        known[name] = {"color": colour, "marker": marker, "linewidth": 1.5, "zorder": 3}
    for place, name in enumerate(mine):
        marker, dashes = "o*hp"[place % 4], ("-", "--", ":", "-.")[place % 4]
        known[name] = {"color": BLUE, "marker": marker, "linewidth": 2.8, "zorder": 4}
        known[name]["linestyle"] = dashes
    return known


# --- charts -------------------------------------------------------------------------------------


def deliveries(groups: Mapping[str, Mapping[str, float | None]]) -> Any:
    """Bars, on a scale from nought: what is ten times as long is ten times as much."""
    import matplotlib.pyplot as plt

    heights = [sum(value is not None for value in bars.values()) for bars in groups.values()]
    figure, panels = plt.subplots(
        len(groups), 1, figsize=(9, 0.38 * sum(heights) + 0.85 * len(groups) + 0.5),
        height_ratios=heights, squeeze=False, layout="constrained",
    )  # fmt: skip
    for panel, (group, bars) in zip(panels[:, 0], groups.items(), strict=True):
        known = sorted((value, name) for name, value in bars.items() if value is not None)
        values, names = [value for value, _ in known], [name for _, name in known]
        colours = [BLUE if is_ours(name) else GREY for name in names]
        drawn = panel.barh(names, values, color=colours, height=0.72)
        panel.bar_label(drawn, [short(value) for value in values], padding=4, fontsize=9.5)
        panel.set_title(group)
        panel.margins(x=0.1)
        panel.xaxis.set_visible(False)
        panel.spines["bottom"].set_visible(False)
        panel.tick_params(axis="y", length=0)
        _embolden(panel)
    figure.supxlabel("deliveries per CPU-second of the server and its stores", fontsize=10)
    return figure


def latency(servers: Mapping[str, Mapping[str, float]]) -> Any:
    """A line for each server, from the median to one in a thousand."""
    figure, panel = _panel(0.42 * len(servers) + 1.5)
    names = sorted(servers, key=lambda name: servers[name]["p99"], reverse=True)
    for place, name in enumerate(names):
        times = [servers[name][quantile] for quantile in ("p50", "p99", "p999")]
        colour = BLUE if is_ours(name) else "#6b7783"
        panel.plot([times[0], times[2]], [place, place], color=colour, linewidth=2, zorder=2)
        for time, marker, face in zip(times, "oD|", (colour, PAPER, colour), strict=True):
            panel.plot(
                time, place, marker, color=colour, markerfacecolor=face, markersize=8,
                markeredgewidth=2, zorder=3,
            )  # fmt: skip
        told = " / ".join(short(time) for time in times) + " ms"
        panel.annotate(told, (times[2], place), (10, -3), textcoords="offset points", fontsize=9)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(-0.6, len(names) - 0.4)
    panel.tick_params(axis="y", length=0)
    _logarithmic(panel.xaxis)
    low = min(times["p50"] for times in servers.values()) / 1.6
    high = max(times["p999"] for times in servers.values())
    panel.set_xlim(low, high * (high / low) ** 0.35)  # for what is written at the right
    _title(figure, "From sending to arriving at a member")
    panel.set_xlabel("milliseconds:   ●  half   ◇  99 %   |  99.9 %  of deliveries")
    _embolden(panel)
    return figure


def room_sizes(lines: Lines) -> Any:
    title = "Deliveries by the size of the room"
    return _curves(lines, title, "members of the room", "deliveries per CPU-second")


def rows(lines: Lines) -> Any:
    title = "Cost by the length of the log"
    return _curves(lines, title, "rows in the log, of all rooms", "milliseconds")


def _curves(lines: Lines, title: str, across: str, up: str) -> Any:
    figure, panel = _panel(4.8)
    _draw(panel, lines)
    _title(figure, title)
    panel.set_xlabel(across)
    panel.set_ylabel(up)
    return figure


def _panel(height: float) -> tuple[Any, Any]:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(9, height), layout="constrained")


def _title(figure: Any, text: str) -> None:
    figure.suptitle(text, x=0.017, ha="left")


def _draw(panel: Any, lines: Lines) -> None:
    known = looks(list(lines))
    for name, points in lines.items():
        across, up = zip(*points, strict=True)
        panel.plot(across, up, label=name, markersize=6.5, **known[name])
    _logarithmic(panel.xaxis)
    _logarithmic(panel.yaxis)
    panel.margins(x=0.03, y=0.08)
    handles, names = panel.get_legend_handles_labels()
    by_end = sorted(zip(handles, names, strict=True), key=lambda pair: -lines[pair[1]][-1][1])
    legend = panel.figure.legend(
        *zip(*by_end, strict=True), loc="outside lower left", ncols=2, frameon=False, fontsize=9.5
    )
    for label in legend.get_texts():
        if is_ours(label.get_text()):
            label.set(fontweight="bold", color=BLUE)


def _logarithmic(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: short(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.axes.grid(True, axis=axis.axis_name)


def _embolden(panel: Any) -> None:
    for label in panel.get_yticklabels():
        if is_ours(label.get_text()):
            label.set(fontweight="bold", color=BLUE)


DRAWN: dict[str, Callable[[Any], Any]] = {
    "deliveries": deliveries,
    "latency": latency,
    "room_sizes": room_sizes,
    "rows": rows,
}


# --- files --------------------------------------------------------------------------------------


def draw(folder: Path) -> list[Path]:
    """Needs matplotlib. The files that were written."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(STYLE)
    known = series({name: part.result for name, part in parts().items()})
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, drawn in DRAWN.items():
        if known[name]:
            written.append(folder / f"{name.replace('_', '-')}.svg")
            drawn(known[name]).savefig(written[-1], metadata={"Date": None, "Creator": None})
    return written


def install() -> Path:
    """The python of the charts' own virtual environment."""
    python, done = HOME / "bin" / "python", HOME / "done"
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != pins:
        venv.create(HOME, clear=True, with_pip=True)
        words = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(PINS)]
        subprocess.run([python, "-m", "pip", "install", *words], check=True)
        done.write_text(pins)
    return python


def make(folder: Path = CHARTS) -> None:
    """From anywhere: in the charts' own environment."""
    command = [install(), "-m", "bench.charts", folder.resolve()]
    subprocess.run(command, cwd=ROOT, check=True)


def main(words: Sequence[str]) -> None:
    folder = Path(words[0]) if words else CHARTS
    if Path(sys.prefix).resolve() != HOME.resolve():
        make(folder)
        return
    for path in draw(folder):
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
