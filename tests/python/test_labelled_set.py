"""A sweep with a fault matrix writes one labelled data set, readable by h5py alone from any folder.

usage: test_labelled_set.py URJA REPOSITORY
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

urja, root = sys.argv[1], pathlib.Path(sys.argv[2])

SCENARIO = f"""include: {root}/tests/faults/plant.yaml
faults:
  shade: {{kind: pv_shading, on: roof, at: 2024-06-01 08:00, duration: 6 h, from: "08:00", to: "16:00", lost_share: 60 %}}
  bias: {{kind: sensor_bias, on: homes.2.load.demand, at: 2024-06-02 03:00, duration: 5 h, offset: 100 W}}
"""
SWEEP = """sweep: 1
faults: {shade: [50 %, 100 %], bias: [1]}
seeds: 2
results: [roof, homes.load, homes.pv.power]
"""

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "s.yaml").write_text(SCENARIO)
    (folder / "w.yaml").write_text(SWEEP)
    subprocess.run([urja, "sweep", "s.yaml", "--sweep", "w.yaml", "--out", "out"], cwd=folder, check=True, capture_output=True)
    os.chdir("/")  # the views are found from anywhere
    (folder / "out").rename(folder / "moved")  # and go where their folder goes
    with h5py.File(folder / "moved" / "dataset.h5") as f:
        label, faults = f["label"][:], list(f["label"].attrs["faults"])
        roof, measured = f["channels/roof/power"][:], f["measured/homes.load/demand"][:]
        true = f["channels/homes.load/demand"][:]
        names = [n.decode() for n in f["variants/name"][:]]
        hours = (f["time"][:] - f["time"][0]) / 3600
        severity = f["variants/faults.shade.severity"]
        assert severity[:].tolist() == [0, 0, 50, 50, 100, 100, 0, 0] and severity.attrs["unit"] == "%", severity[:]
        assert f["channels/homes.pv/power"].shape == (8, 576, 3)
    assert names == ["healthy"] * 2 + ["shade 50 %"] * 2 + ["shade 100 %"] * 2 + ["bias 1"] * 2, names
    assert label.shape == roof.shape == (8, 576) and true.shape == (8, 576, 3)
    assert not np.isnan(roof).any()
    shade, bias = 1 + faults.index("shade"), 1 + faults.index("bias")
    at_shade, at_bias = (hours >= 8) & (hours < 14), (hours >= 27) & (hours < 32)
    for v, what in enumerate(names):
        expected = np.where(at_shade, shade, 0) if "shade" in what else np.where(at_bias, bias, 0) if "bias" in what else 0 * label[v]
        assert np.array_equal(label[v], expected), what
    assert (roof[2][at_shade] < roof[0][at_shade]).all() and (roof[4][at_shade] < roof[2][at_shade]).all()
    assert np.array_equal(roof[4][~at_shade], roof[0][~at_shade])
    error = measured - true
    assert np.allclose(error[6][at_bias], [0, 100, 0]) and not error[6][~at_bias].any() and not error[:6].any()
    with h5py.File(folder / "moved" / "variants" / "5.h5") as f:
        assert np.array_equal(f["channels/roof/power"][:], roof[4])
print("labelled set: well")
