"""What interpreter the tests run on."""

from __future__ import annotations

import sysconfig

HAS_GIL = not sysconfig.get_config_var("Py_GIL_DISABLED")
