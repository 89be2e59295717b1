"""Remembers where the repository is, so that an installed package finds the program and the scenarios that were built there."""
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class RememberRepository(build_py):
    """Writes `urja_gym/_repository.py` into what is installed; an editable install knows by where it lies and needs none."""

    def run(self):
        super().run()
        repository = Path(__file__).resolve().parents[2]
        if not self.editable_mode and (repository / "bridge" / "PROTOCOL.md").is_file():
            target = Path(self.build_lib) / "urja_gym" / "_repository.py"
            target.write_text(f'"""Written by setup.py: where this package was installed from."""\nPATH = {str(repository)!r}\n')


setup(cmdclass={"build_py": RememberRepository})
