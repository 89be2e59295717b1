"""From nothing to a scored policy: python -m urja_gym.tutorial [TASK] [--minutes 5] [--folder tutorial]

Trains PPO on a task (default the village), draws how it learned, and scores it on test episodes beside the rule, the planners and the
bound. Writes `learning_curve.png`, `gap.md` (the table) and the policy into the folder. Needs stable-baselines3 and matplotlib:
`pip install 'bridge/python[tutorial]'`.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import REGISTERED
from .benchmark import Row, line, score
from .learned import load

SHOWN = ("hold", "greedy", "dynamic_programming", "rolling_lp", "perfect_foresight")


def draw(curve: dict, rows: list[Row], file: Path) -> None:
    """Cost in validation episodes over the training, and the share of the gap that each policy closes in test episodes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    minutes = [s / 60 for s in curve["seconds"]]
    if curve.get("teacher"):
        left.axvspan(0, minutes[0], color="#1f6f8b", alpha=0.08, linewidth=0)
        left.text(minutes[0] / 2, 0.5, "learns from\n" + curve["teacher"].replace("_", " "), transform=left.get_xaxis_transform(), ha="center", va="center")
    left.plot(minutes, curve["cost"], color="#1f6f8b", marker=".", label="policy, without noise")
    left.axhline(curve["rule"], color="#99582a", linestyle="--", label="rule")
    left.axhline(curve["bound"], color="#555555", linestyle=":", label="bound: nobody is below")
    left.set(xlabel=f"minutes of training, to {curve['steps'][-1] / 1e6:.1f} million steps", xlim=(0, None), ylabel=f"cost of an episode, {curve['currency']}", title=f"{curve['task']}: validation episodes")
    left.grid(alpha=0.25)
    left.legend(frameon=False)

    shown = [row for row in rows if row.policy not in ("rule", "bound", "random")]
    shown.sort(key=lambda row: row.closed)
    # One that costs far more than the rule would leave no room for the others.
    floor = max(-1.0, min(0.0, min(row.closed for row in shown)) - 0.05)
    for k, row in enumerate(shown):
        colour = "#1f6f8b" if row.policy.startswith(("ppo", "dqn", "learned")) else "#9aa5ab"
        right.barh(k, max(row.closed, floor), color=colour)
        right.plot([max(row.closed_low, floor), max(row.closed_high, floor)], [k, k], color="black", linewidth=1)
        right.text(max(row.closed_high, 0.0) + 0.02, k, f"{100 * row.closed:.0f} %", va="center")
    right.set_yticks(range(len(shown)), [row.policy.replace("_", " ").replace("lp", "LP") for row in shown])
    right.axvline(0, color="black", linewidth=0.8)
    right.set(xlim=(floor, 1.25), xticks=[t for t in (-1, -0.5, 0, 0.5, 1) if t >= floor], xlabel="share of the gap between rule (0) and bound (1)", title=f"{rows[0].seeds} test episodes, 95 % intervals")
    right.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0))
    figure.savefig(file, dpi=120)
    plt.close(figure)


def table(rows: list[Row]) -> str:
    """The gap table in Markdown."""
    told = [f"| policy | cost, {rows[0].currency} | 95 % interval | gap closed | 95 % interval |", "|---|---|---|---|---|"]
    for r in rows:
        told.append(
            f"| {r.policy.replace('_', ' ')} | {r.cost:.3f} | {r.cost_low:.3f} to {r.cost_high:.3f} | {100 * r.closed:.1f} % | "
            f"{100 * r.closed_low:.1f} to {100 * r.closed_high:.1f} % |"
        )
    return "\n".join(told) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m urja_gym.tutorial", description="Trains PPO on a task, draws its learning curve and the gap table.")
    parser.add_argument("task", nargs="?", default="Urja/Village-v0", help=f"of {', '.join(REGISTERED)}")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=20, help="test episodes (default 20)")
    parser.add_argument("--folder", type=Path, default=Path("tutorial"))
    given = parser.parse_args(arguments)
    if given.task not in REGISTERED:
        parser.error(f"no task {given.task}; there are {', '.join(REGISTERED)}")
    try:
        import matplotlib  # noqa: F401

        from .train import train

        given.folder.mkdir(parents=True, exist_ok=True)
        model = given.folder / "ppo.zip"
        curve = train(given.task, "ppo", given.minutes, given.seed, model)
    except ModuleNotFoundError as missing:
        print(f"{missing}: pip install 'bridge/python[tutorial]' in a virtual environment", file=sys.stderr)
        return 1
    policies = {name: name for name in SHOWN} | {"ppo": load(model.with_suffix(".npz"))}
    rows = score(given.task, policies, given.seeds, report=lambda row: print(line(row), flush=True))
    draw(curve, rows, given.folder / "learning_curve.png")
    (given.folder / "gap.md").write_text(table(rows))
    print(f"{given.folder / 'learning_curve.png'}, {given.folder / 'gap.md'}, {model.with_suffix('.npz')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
