"""The two table layouts of a cell set, as text."""


def plain(x, digits):
    return f"{float(x):.{digits}g}"


def row(values, digits, width=10, indent="      "):
    """A flow sequence over several lines."""
    lines = [", ".join(plain(x, digits) for x in values[k:k + width]) for k in range(0, len(values), width)]
    return indent + "[" + (",\n" + indent + " ").join(lines) + "]"


def circuit(temperature, digits, series, pair, capacitance):
    text = ("  circuit:      # one row per state of charge, one column per temperature\n    over:\n"
            f"      state_of_charge: {{from: 0, to: 1, step: 0.05}}\n      temperature: {temperature}\n    columns:\n")
    for name, unit, table in (("series_resistance", "ohm", series), ("pair_resistance", "ohm", pair), ("pair_capacitance", "F", capacitance)):
        rows = ["[" + ", ".join(plain(x, digits) for x in line) + "]" for line in table]
        text += f"      {name}:\n        unit: {unit}\n        values:\n          [" + ",\n           ".join(rows) + "]\n"
    return text
