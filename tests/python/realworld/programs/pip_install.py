"""Install a wheel into a directory without an index."""

import sys

from pip._internal.cli.main import main

wheel, target = sys.argv[1:]
options = ["--no-index", "--no-deps", "--disable-pip-version-check", "--no-compile", "--upgrade", "--quiet"]
sys.exit(main(["install", *options, "--target", target, wheel]))
