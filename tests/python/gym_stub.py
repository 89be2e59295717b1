"""A server of urja-gym/1 in Python for tests of clients: gym_stub.py gym SCENARIO --bind ENDPOINT [--until-stdin-closes] [--set K=V ...]

Its plant is a toy that fits in a few lines, yet everything random of a lane is a function of seed and episode, as bridge/PROTOCOL.md wants
it. It does what a good server does never or seldom: `--set stub.lose=3` answers the third step only when it is repeated, `stub.lease=1`
ends sessions after a second, `stub.actions=mixed` has box and discrete actions, `stub.fail=INTERNAL` answers every step so,
`stub.busy=2` the first two with BUSY. One client at a time.
"""
import argparse
import os
import struct
import sys
import threading
import time

import msgpack
import numpy as np
import zmq

HEADER = struct.Struct("<4sBBBBQQQIIII")
O, C, D, S = 4, 3, 1, 2
SCHEMA_HASH = 0x1234567890ABCDEF
ACTIONS = {
    "box": [("battery.power", "box"), ("charger.power", "box")],
    "discrete": [("genset.on", "discrete")],
    "several": [("genset.on", "discrete"), ("battery.mode", "discrete")],
    "mixed": [("genset.on", "discrete"), ("battery.power", "box"), ("battery.mode", "discrete")],
}
CHOICES = {"genset.on": [0, 1], "battery.mode": [-1, 0, 1]}


class Refused(Exception):
    def __init__(self, code, text, **more):
        self.meta = {"code": code, "text": text, **more}


def blob_of(*arrays):
    out = bytearray()
    for array in arrays:
        out.extend(bytes(-len(out) % 64))
        out.extend(np.ascontiguousarray(array).tobytes())
    return bytes(out)


class Toy:
    """N lanes: `charge` walks with the actions and a seeded sun; over after `length` steps, or terminated when the charge is empty."""

    def __init__(self, n, mode, actions, length):
        self.n, self.mode, self.actions, self.length = n, mode, actions, length
        self.lanes = [{"seed": i, "episode": -1, "t": 0, "charge": 0.5, "draw": 0.0, "ended": False} for i in range(n)]
        self.sums = np.zeros((C, n))
        self.last, self.length_last = np.zeros((C, n)), np.zeros(n, np.uint32)
        self.snapshots = {}

    def begin(self, i, seed=None):
        lane = self.lanes[i]
        lane["episode"] = 0 if seed is not None else lane["episode"] + 1
        lane["seed"] = lane["seed"] if seed is None else int(seed)
        rng = np.random.default_rng([lane["seed"], lane["episode"]])
        lane.update(t=0, charge=float(rng.uniform(0.4, 0.9)), draw=float(rng.uniform()), ended=False, first=int(rng.integers(96)))
        self.sums[:, i] = 0

    def observation(self, i):
        lane = self.lanes[i]
        now = 2 * np.pi * (lane["first"] + lane["t"]) / 96
        return [2 * lane["charge"] - 1, np.sin(now), np.cos(now), 2 * lane["draw"] - 1]

    def result(self, reward=None, terminated=None, truncated=None, columns=None, final=()):
        zero = np.zeros(self.n)
        flags = [np.array([lane.get(k, False) for lane in self.lanes], np.uint8) for k in ("terminated", "truncated")]
        arrays = [
            np.array([self.observation(i) for i in range(self.n)], np.float32), zero if reward is None else reward,
            flags[0] if terminated is None else terminated, flags[1] if truncated is None else truncated,
            np.zeros((C, self.n)) if columns is None else columns, np.array([[lane["draw"] for lane in self.lanes]]),
        ]  # fmt: skip
        if final:
            arrays += [np.array([i for i, _ in final], np.uint32), np.array([row for _, row in final], np.float32)]
        return blob_of(*arrays), len(final)

    def step(self, actions):
        if self.mode == "disabled" and any(lane["ended"] for lane in self.lanes):
            raise Refused("STATE", "a lane is over")
        reward, columns = np.zeros(self.n), np.zeros((C, self.n))
        terminated, truncated, final = np.zeros(self.n, np.uint8), np.zeros(self.n, np.uint8), []
        for i, lane in enumerate(self.lanes):
            if lane["ended"]:  # next_step
                self.begin(i)
                continue
            power = float(np.dot(actions[i], [1.0, 0.5, -0.25][: actions.shape[1]]))
            sun = max(0.0, float(self.observation(i)[1]))
            columns[:, i] = [max(0.0, 0.4 + power - sun), abs(power), lane["t"]]
            reward[i] = -(0.3 * columns[0, i] + 0.01 * columns[1, i])
            lane["charge"] = min(1.0, lane["charge"] + 0.05 * (power + sun - 0.4))
            lane["t"] += 1
            terminated[i], truncated[i] = lane["charge"] <= 0, lane["t"] >= self.length
            lane["charge"] = max(0.0, lane["charge"])
            self.sums[:, i] += columns[:, i]
            if terminated[i] or truncated[i]:
                self.last[:, i], self.length_last[i] = self.sums[:, i], lane["t"]
                lane["ended"] = True
                if self.mode == "same_step":
                    final.append((i, self.observation(i)))
                    self.begin(i)
        for i, lane in enumerate(self.lanes):
            lane["terminated"], lane["truncated"] = (bool(f[i]) and lane["ended"] for f in (terminated, truncated))
        return reward, terminated, truncated, columns, final


class Session:
    def __init__(self, number, settings):
        self.number, self.settings, self.toy = number, settings, None
        self.seq, self.last, self.used, self.steps, self.busy, self.fresh = 0, None, time.monotonic(), 0, 0, True

    def schema(self, wish):
        box = lambda name, kind: {"name": name, "unit": "kW" if kind == "box" else "1", "kind": kind, "low": -5.0, "high": 5.0, "doc": "",
                                  "values": CHOICES.get(name, [])}  # fmt: skip
        see = lambda name: {"name": name, "unit": "1", "low": -1.0, "high": 1.0, "source": "measured", "ahead_s": 0, "lag_s": 0, "doc": ""}
        return {
            "scenario": self.settings["scenario"], "title": "A toy", "zone": "UTC", "currency": "EUR", "envs": self.toy.n,
            "autoreset": self.toy.mode, "split": wish.get("split", "train"), "policy": "agent", "policies": ["agent", "rule"],
            "interval_s": 900.0, "step_s": 60.0, "episode_steps": self.toy.length,
            "observations": [see("battery.state_of_charge"), see("calendar.hour_sin"), see("calendar.hour_cos"), see("charger.wish")],
            "normalised_observations": True, "actions": [box(*a) for a in self.toy.actions], "normalised_actions": True,
            "columns": [{"name": "grid.energy", "unit": "kWh", "price": 0.3, "in_cost": True, "doc": "bought"},
                        {"name": "battery.wear", "unit": "kWh", "price": 0.01, "in_cost": False, "doc": ""},
                        {"name": "step", "unit": "1", "price": 0.0, "in_cost": False, "doc": ""}],
            "reward_scale": 1.0, "draws": [{"name": "battery.packs", "unit": "1"}],
            "state": [{"name": "battery.state_of_charge", "unit": "1"}, {"name": "battery.health", "unit": "1"}],
        }  # fmt: skip

    def make(self, meta):
        modes = ("next_step", "same_step", "disabled")
        for key, kind in (("envs", int), ("autoreset", str), ("threads", int), ("split", str), ("policy", str)):
            if key in meta and not isinstance(meta[key], kind):
                raise Refused("META", f"{key} has a wrong type", field=key)
        if meta.get("autoreset", "next_step") not in modes:
            raise Refused("META", "autoreset: allowed are " + ", ".join(modes), field="autoreset")
        if meta.get("split", "train") not in ("train", "validation", "test", "all"):
            raise Refused("META", "split", field="split")
        if not 1 <= meta.get("envs", 1) <= 4096:
            raise Refused("LIMIT", "too many", field="envs")
        actions = ACTIONS[self.settings.get("stub.actions", "box")]
        self.toy = Toy(meta.get("envs", 1), meta.get("autoreset", "next_step"), actions, int(self.settings.get("stub.length", 24)))
        return 4, {"schema_hash": SCHEMA_HASH, "schema": self.schema(meta)}, b"", 0

    def do(self, type, flags, n, t, meta, blob):
        if type == 17:
            return 21, None, b"", 0
        if type == 18:
            return 19, None, b"", 0
        if type == 3:
            return self.make(meta)
        toy = self.toy
        if toy is None or (self.fresh and type != 5):
            raise Refused("STATE", "MAKE and RESET of all lanes come first")
        N, A = toy.n, len(toy.actions)
        if n != N:
            raise Refused("SHAPE", f"n is {n}, the batch has {N} lanes")
        if type == 5:
            want = (8 * N if flags & 2 else 0, N if flags & 1 else 0)
            at = -(-want[0] // 64) * 64 if want[1] else 0
            if len(blob) != (at + N if want[1] else want[0]):
                raise Refused("SHAPE", "seeds and mask have another size")
            seeds = np.frombuffer(blob, "<u8", N) if flags & 2 else [None] * N
            mask = np.frombuffer(blob, np.uint8, N, at) if flags & 1 else np.ones(N)
            for i in np.flatnonzero(mask):
                toy.begin(i, seeds[i])
                toy.lanes[i].update(terminated=False, truncated=False)
            self.fresh = False
            return 8, None, *toy.result()
        if type in (6, 7):
            steps = t if type == 7 else 1
            if len(blob) != 4 * steps * N * A:
                raise Refused("SHAPE", "actions have another size")
            actions = np.frombuffer(blob, np.float32).reshape(steps, N, A)
            if not np.isfinite(actions).all():
                raise Refused("NAN_ACTION", "an action is NaN", index=int(np.flatnonzero(~np.isfinite(actions))[0]))
            if "box" in {kind for _, kind in toy.actions} and (abs(actions) > 2).any():
                raise Refused("OUT_OF_RANGE", "an action is out of range", index=int(np.flatnonzero(abs(actions) > 2)[0]))
            if code := self.settings.get("stub.fail"):
                raise Refused(code, "as you wished")
            if self.busy < int(self.settings.get("stub.busy", 0)):
                self.busy += 1
                raise Refused("BUSY", "not now", retryable=True)
            reward, columns, terminated, truncated = np.zeros(N), np.zeros((C, N)), np.zeros(N, np.uint8), np.zeros(N, np.uint8)
            for rows in actions:
                gone_on = [lane["ended"] for lane in toy.lanes]  # begins its next episode in this step
                terminated, truncated = (np.where(gone_on & (flag > 0), 3, flag).astype(np.uint8) for flag in (terminated, truncated))
                r, te, tr, co, final = toy.step(rows)
                reward, columns = reward + r, columns + co
                terminated, truncated = np.where(te, 1, terminated).astype(np.uint8), np.where(tr, 1, truncated).astype(np.uint8)
            return 8, None, *toy.result(reward, terminated, truncated, columns, final)
        if type == 9:
            number = len(toy.snapshots) + 1
            toy.snapshots[number] = [dict(lane) for lane in toy.lanes]
            return 21, {"snapshot": number}, b"", 0
        if type in (10, 12):
            kept = toy.snapshots.get(meta.get("snapshot"))
            if kept is None:
                raise Refused("META", "no such snapshot", field="snapshot")
            if type == 12:
                del toy.snapshots[meta["snapshot"]]
                return 21, None, b"", 0
            for i in range(N):
                if not flags & 1 or blob[i]:
                    toy.lanes[i] = dict(kept[i])
            return 8, None, *toy.result()
        if type == 11:
            for a, b in np.frombuffer(blob, "<u4").reshape(-1, 2):
                toy.lanes[b] = dict(toy.lanes[a])
            return 8, None, *toy.result()
        if type == 13:
            lane = toy.lanes[meta.get("lane", 0)]
            values = [{"name": "battery.power", "value": 1.5, "unit": "kW"}, {"name": "battery.state_of_charge", "value": lane["charge"], "unit": "1"}]
            return 21, {"text": f"charge {lane['charge']:.3f}", "time": "2025-01-01 00:00", "values": values}, b"", 0
        if type == 14:
            return 22, None, blob_of(toy.sums, toy.last, toy.length_last), 0
        if type == 15:
            W = sum(len(CHOICES[name]) for name, kind in toy.actions if kind == "discrete")
            low = np.full((N, A), -1, np.float32)
            low[:, 0] = [-lane["charge"] for lane in toy.lanes]
            return 23, None, blob_of(low, np.ones((N, A), np.float32), np.ones((N, W), np.uint8)), 0
        if type == 16:
            return 24, None, blob_of(np.array([[lane["charge"], 1.0] for lane in toy.lanes])), 0
        raise Refused("TYPE", f"no type {type}")


def serve(socket, settings):
    sessions = {}
    while True:
        peer, header, meta, blob = socket.recv_multipart()
        magic, major, _, type, flags, number, seq, schema, n, t, _, _ = HEADER.unpack(header)
        assert magic == b"URJG" and major == 1
        session = sessions.get(number)
        if session and time.monotonic() - session.used > float(settings.get("stub.lease", 60)):
            session = sessions.pop(number) and None
        if type == 1:
            session = Session(len(sessions) + 7, settings)
            sessions[session.number] = session
            limits = {"sessions": 9, "envs": 4096, "bytes": 1 << 26, "snapshots": 64, "steps_per_request": 100000}
            reply = (2, {"session": session.number, "protocol": "urja-gym/1", "version": "stub", "scenario": settings["scenario"],
                         "lease_s": float(settings.get("stub.lease", 60)), "limits": limits}, b"", 0)  # fmt: skip
        elif session is None:
            reply = (20, {"code": "SESSION", "text": "unknown, or its lease is over"}, b"", 0)
        elif seq == session.seq and session.last:
            reply = session.last
        elif seq != session.seq + 1:
            reply = (20, {"code": "SEQ", "text": "out of turn", "index": session.seq + 1}, b"", 0)
        else:
            try:
                if schema != (SCHEMA_HASH if session.toy else 0) and type not in (17, 18):
                    raise Refused("SCHEMA", "another schema")
                reply = session.do(type, flags, n, t, msgpack.unpackb(meta) if meta else {}, blob)
            except Refused as refused:
                reply = (20, {"field": None, "index": None, "retryable": False, **refused.meta}, b"", 0)
            session.seq, session.last = seq, reply
            session.steps += type == 6
            if type == 6 and session.steps == int(settings.get("stub.lose", 0)):
                continue  # done, but the answer is lost
        if session:
            session.used = time.monotonic()
        kind, told, data, final = reply
        head = HEADER.pack(b"URJG", 1, 0, kind, 0, number, seq, schema, n, final, 0, 0)
        socket.send_multipart([peer, head, b"" if told is None else msgpack.packb(told), data])


def wait_for_end(bind):
    sys.stdin.buffer.read()
    if bind.startswith("ipc://"):
        os.unlink(bind.removeprefix("ipc://"))
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lease")
    parser.add_argument("command")
    parser.add_argument("scenario")
    parser.add_argument("--bind")
    parser.add_argument("--until-stdin-closes", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    if options.until_stdin_closes:
        threading.Thread(target=wait_for_end, args=(options.bind,), daemon=True).start()
    socket = zmq.Context().socket(zmq.ROUTER)
    socket.bind(options.bind)
    print("urja-gym/1", socket.last_endpoint.decode().rstrip("\0"), flush=True)
    serve(socket, {"scenario": options.scenario, **dict(pair.split("=", 1) for pair in options.set)})


if __name__ == "__main__":
    main()
