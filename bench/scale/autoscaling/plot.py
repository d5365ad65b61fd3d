"""The picture of docs/autoscaling.md: replicas wanted and ready, from beginning to end."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from bench.scale.autoscaling.history import History

_BLUE, _ORANGE, _GREY = "#2a6f97", "#bc6c25", "#8d99ae"
_SIZE = (9.0, 3.4)


def draw(path: Path, history: History) -> None:
    """Over the minutes since the load began, with the phases' beginnings."""
    figure = Figure(figsize=_SIZE, dpi=110, layout="constrained")
    axes = figure.subplots()
    minutes = [one.at / 60 for one in history.points]
    axes.step(
        minutes, [one.ready for one in history.points], where="post", color=_BLUE, label="ready"
    )
    axes.step(
        minutes, [one.wanted for one in history.points], "--", where="post", color=_ORANGE,
        label="wanted",
    )  # fmt: skip
    for mark in history.marks:
        axes.axvline(mark.at / 60, color=_GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            mark.name, (mark.at / 60, 112), rotation=30, fontsize=8, annotation_clip=False
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel="minutes since the load began", ylabel="replicas", ylim=(0, 108))
    axes.legend(frameon=False, fontsize=8, loc="lower center")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the program's name and version in it the same picture is the same file.
    figure.savefig(path, metadata={"Software": None})
