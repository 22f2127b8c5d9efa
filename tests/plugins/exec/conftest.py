"""The folder of descriptions, for every test of this plugin."""

from exec_codecs import folder  # noqa: F401  (a fixture)
