"""What the benchmark rests on: test_gym_benchmark.py URJA SOURCE_DIR

No policy's episode costs less than the bound of that episode, on any task, the shipped learned ones included; policies act in the same
episodes; a plan that knows all is better than one that does not look ahead; costs are the rewards without penalties; who does what a planner
advises pays what the planner pays."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[2]) / "bridge/python"))
os.environ["URJA_PROGRAM"] = str(Path(sys.argv[1]).resolve())
try:
    import numpy as np

    import urja_gym
    from urja_gym.benchmark import FIRST_SEED, Episodes, episodes, line, score
    from urja_gym.errors import UrjaGymError
    from urja_gym.learned import load, shipped
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SEEDS = 5


def main():
    for task in urja_gym.REGISTERED:
        rule, bound, _ = episodes(task, "rule", SEEDS, bounds=True)
        again, _, _ = episodes(task, "rule", SEEDS)
        assert (rule == again).all(), f"{task}: the same episodes cost something else"
        costs = {"rule": rule}
        for policy in ("random", "hold", "greedy", "rolling_lp", "dynamic_programming", "perfect_foresight"):
            try:
                costs[policy] = episodes(task, policy, SEEDS)[0]
            except UrjaGymError as refused:
                assert policy == "dynamic_programming", f"{task}: {policy}: {refused}"
        for name, file in shipped(task).items():
            costs[name] = episodes(task, load(file), SEEDS)[0]
            assert costs[name].mean() < costs["random"].mean(), f"{task}: {name} has learned nothing"
        for policy, cost in costs.items():
            room = 1e-6 * (1 + np.abs(bound))
            assert (cost >= bound - room).all(), f"{task}: {policy} costs {cost - bound} more than a bound"
        assert costs["perfect_foresight"].mean() < costs["greedy"].mean(), task
        print(f"{task}: bound {bound.mean():.3f}, " + ", ".join(f"{name} {cost.mean():.3f}" for name, cost in costs.items()))

    # Advice is what the planner itself would do, as an agent says it: in single precision, after which plans of the same cost may part, so
    # what it is worth is compared: the mean, to a fiftieth of what the planner gains.
    for task, planner in (("Urja/HomeTimeOfUse-v0", "perfect_foresight"), ("Urja/TenHomes-v0", "rolling_lp"), ("Urja/OffGridVillage-v0", "rolling_lp")):
        rule, planned = (episodes(task, policy, 40)[0].mean() for policy in ("rule", planner))
        with Episodes(task, "agent", 40) as played:
            advised = played.costs(lambda _: played.envs.advice(planner)).mean()
        assert abs(advised - planned) < 0.02 * (rule - planned), (task, rule, planned, advised)
        print(f"{task}: {planner} {planned:.4f}, by its advice {advised:.4f}")

    # A learned policy belongs to its task.
    file = next(iter(shipped("Urja/Village-v0").values()))
    try:
        episodes("Urja/CloudyDay-v0", load(file), 1)
        raise AssertionError("a policy for other observations")
    except ValueError as refused:
        assert "other observations" in str(refused)

    # An own policy is scored like a native one: doing what "hold" does costs what "hold" costs.
    hold = {"set": {"gym.actions": "[battery.power]"}}
    mine, _, _ = episodes("home_time_of_use", lambda o: np.zeros((SEEDS, 1), np.float32), SEEDS, **hold)
    theirs, _, _ = episodes("home_time_of_use", "hold", SEEDS, **hold)
    assert np.allclose(mine, theirs), (mine, theirs)
    told = score("Urja/HomeTimeOfUse-v0", {"hold": "hold"}, SEEDS)
    assert [row.policy for row in told] == ["rule", "hold", "bound"]
    assert told[0].closed == 0 and abs(told[2].closed - 1) < 1e-12
    assert all(row.cost_low <= row.cost <= row.cost_high and line(row) for row in told)

    # A bound is of an episode that begins; where nothing is proven it says so.
    envs = urja_gym.make_vec("home_time_of_use", 2, split="test")
    envs.reset(seed=FIRST_SEED)
    envs.bounds()
    envs.step(np.zeros((2, 1), np.float32))
    try:
        envs.bounds()
        raise AssertionError("a bound in the middle of an episode")
    except urja_gym.StateError:
        pass
    envs.close()
    envs = urja_gym.make_vec("home_time_of_use", 2, set={"gym.randomise": "{battery.capacity: {times: {uniform: [0.5, 0.9]}}}"})
    envs.reset(seed=1)
    try:
        envs.bounds()
        raise AssertionError("a bound of a plant that is drawn anew")
    except UrjaGymError as refused:
        assert "capacity" in refused.text, refused
    envs.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
