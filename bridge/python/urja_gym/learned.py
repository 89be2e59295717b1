"""Learned policies as small files that need numpy and nothing else: `policy = load("village_ppo_0.npz"); actions = policy(observations)`.

A file holds the layers of a policy (`w0`, `b0`, `w1`, ..), how its last one is meant (`zero`, see Spread) and a JSON text `about`: task, algorithm, names of what it sees and does, how it
was trained. `shipped()` lists those that come with the package, `save()` writes one from a model of Stable-Baselines3.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"


class Spread:
    """Powers as a policy says them: u in [-1, 1] is v = u^3 times the bound on its side, where v = 0 lies within the bounds (else v is linear
    in u). Much of what is worth doing lies near nothing at all (a battery that only covers the load, a grid that gives just what is
    missing), and there a policy's noise and its mistakes cost least like this."""

    def __init__(self, zero: np.ndarray) -> None:
        self.zero = zero  # [A]: where nothing lies, as the environment takes it; NaN: linear

    @classmethod
    def of(cls, schema, linear: bool = False) -> Spread:
        if linear:
            return cls(np.full(len(schema.actions), np.nan, np.float32))
        zero = [-(a.low + a.high) / (a.high - a.low) if a.low < 0 < a.high and schema.normalised_actions and not a.values else np.nan for a in schema.actions]
        return cls(np.array(zero, np.float32))

    def to_environment(self, u: np.ndarray) -> np.ndarray:
        u = np.clip(u, -1, 1)
        return np.where(np.isnan(self.zero), u, self.zero + u**3 * np.where(u > 0, 1 - self.zero, 1 + self.zero)).astype(np.float32)

    def from_environment(self, actions: np.ndarray) -> np.ndarray:
        away = actions - self.zero
        return np.where(np.isnan(self.zero), actions, np.cbrt(away / np.where(away > 0, 1 - self.zero, 1 + self.zero))).astype(np.float32)


class Policy:
    """Actions [N, A] (normalised, within the bounds) or choices [N, A] for observations [N, O], without noise."""

    def __init__(self, layers: list[tuple[np.ndarray, np.ndarray]], spread: Spread, about: dict[str, Any]) -> None:
        self.layers, self.spread, self.about = layers, spread, about
        self.chooses = about["algorithm"] == "dqn"  # layers end in the value of each choice

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        x = np.asarray(observations, np.float32)
        for k, (weights, bias) in enumerate(self.layers):
            x = x @ weights.T + bias
            if k + 1 < len(self.layers):
                x = np.maximum(x, 0) if self.chooses else np.tanh(x)
        return x.argmax(1)[:, None].astype(np.float32) if self.chooses else self.spread.to_environment(x)

    def fits(self, schema) -> None:
        """Raises ValueError where `schema` has other observations or actions, or in another order, than those it was trained with."""
        for what in ("observations", "actions"):
            mine, theirs = self.about[what], [one.name for one in getattr(schema, what)]
            if mine != theirs:
                odd = sorted(set(mine) ^ set(theirs))
                raise ValueError(f"this policy was trained with other {what} than the environment has: " + (", ".join(odd) or "their order differs"))


def load(file: str | Path) -> Policy:
    with np.load(file, allow_pickle=False) as kept:
        about = json.loads(str(kept["about"]))
        count = sum(name.startswith("w") for name in kept.files)
        return Policy([(kept[f"w{k}"], kept[f"b{k}"]) for k in range(count)], Spread(kept["zero"]), about)


def save(model, file: str | Path, schema, spread: Spread, about: dict[str, Any]) -> None:
    """Writes the policy of `model` (PPO with box actions or DQN of Stable-Baselines3, a plain network) that was trained on `schema`."""
    import torch

    if about["algorithm"] == "dqn":
        network = list(model.policy.q_net.q_net)
    else:
        network = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    arrays = {}
    for k, layer in enumerate(linear):
        arrays[f"w{k}"], arrays[f"b{k}"] = (p.detach().numpy().astype(np.float32) for p in (layer.weight, layer.bias))
    about = {**about, "observations": [o.name for o in schema.observations], "actions": [a.name for a in schema.actions]}
    np.savez_compressed(file, about=json.dumps(about), zero=spread.zero, **arrays)


def shipped(task: str) -> dict[str, Path]:
    """The policies that come with the package for a registered id: "ppo_0" -> file, by algorithm and training seed."""
    found = {}
    for file in sorted(WEIGHTS.glob("*.npz")):
        about = load(file).about
        if about["task"] == task:
            found[f"{about['algorithm']}_{about['seed']}"] = file
    return found
