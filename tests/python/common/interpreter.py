"""What interpreter the tests run on."""

from __future__ import annotations

import sysconfig

import pytest

HAS_GIL = not sysconfig.get_config_var("Py_GIL_DISABLED")

needs_package_with_gil = pytest.mark.skipif(
    not HAS_GIL, reason="the package has no version for interpreters without a GIL"
)
