"""The schema of `urja schema` takes every good scenario, and refuses what a schema can see: test_schema.py URJA SOURCE_DIR"""
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml


class Yaml12(yaml.SafeLoader):
    """As editors read it: `on` is a word, a time is a text."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":timestamp", ":bool"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def main(urja, source):
    schema = json.loads(subprocess.run([urja, "schema"], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    good = [*source.glob("scenarios/*.yaml"), *source.glob("scenarios/bench/*.yaml"), *source.glob("scenarios/gym/*.yaml"), *source.glob("tests/corpus/good/*.yaml")]
    assert len(good) > 10
    for file in good:
        for error in validator.iter_errors(yaml.load(file.read_text(), Yaml12)):
            print(f"{file}: {'.'.join(map(str, error.path))}: {error.message[:200]}")
            wrong += 1
    village = yaml.load((source / "scenarios/village.yaml").read_text(), Yaml12)
    for change in (
        lambda s: s.pop("zone"),
        lambda s: s.update(sone="UTC"),
        lambda s: s["run"].update(step="1 kW"),
        lambda s: s["assets"]["battery"].update(colour="green"),
        lambda s: s["assets"]["battery"].update(set="lfp_65kwh"),
        lambda s: s["assets"]["battery"].update(rating="5"),
        lambda s: s["assets"]["battery"].update(model="batery"),
        lambda s: s["assets"]["homes"]["members"]["load"].update(priority="vital"),
        lambda s: s["controller"].update(model="battery"),
        lambda s: s.update(gym={"intervall": "15 min"}),
        lambda s: s.update(gym={"interval": "15 kW"}),
        lambda s: s.update(gym={"observations": [{"forecast": "grid.price"}]}),
        lambda s: s.update(gym={"reward": {"costs": {"cost_total": 1}}}),
        lambda s: s.update(sensors=["battery.power"]),
        lambda s: s.update(sensors={"battery.power": {"nose": "5 W"}}),
        lambda s: s.update(sensors={"battery.power": {"noise": "much"}}),
        lambda s: s.update(sensors={"battery.power": {"set": "meter_class_3"}}),
        lambda s: s.update(links={"battery": {"delay": "2 kW"}}),
        lambda s: s.update(links={"battery": {"noise": "2 W"}}),
        lambda s: s.update(faults={"f": {"kind": "sensor_swapped", "on": "battery.power"}}),
        lambda s: s.update(faults={"f": {"kind": "sensor_bias", "on": "battery.power", "offset": "none"}}),
    ):
        bad = json.loads(json.dumps(village))
        change(bad)
        if validator.is_valid(bad):
            print("a wrong scenario passes")
            wrong += 1
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1], Path(sys.argv[2])) else 0)
