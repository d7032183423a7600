// Marks the functions of the hot path, and those that must stay out of it.
#pragma once

// Inlined into the hook whatever the compiler's own estimate: three domains, four entry points and the reference tracer
// share these few functions, so their number of callers says nothing about how often they run. Checked by
// benchmarks/overhead.py; see benchmarks/DEAD_ENDS.md for what did not pay.
#define MT_HOT [[gnu::always_inline]] inline
// The same behind a lambda's parameters.
#define MT_HOT_LAMBDA __attribute__((always_inline))

// Kept out of line: inlined, a function that is hardly ever called costs its hot caller registers, and values that
// leave by memory.
#define MT_COLD [[gnu::noinline]]
