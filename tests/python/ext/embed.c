// A program with the interpreter inside: runs the Python program given as argument in three interpreters, one after the other, and uses the RAW
// domain between them and afterwards.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  void *block = NULL;
  for (int round = 1; round <= 3; ++round) {
    Py_Initialize();
    if (block != NULL) PyMem_RawFree(block);
    const int failed = PyRun_SimpleString(argv[1]);
    block = PyMem_RawMalloc((size_t)round * 1000);
    const int status = Py_FinalizeEx();
    void *other = PyMem_RawCalloc(3, 1000);
    block = PyMem_RawRealloc(block, (size_t)round * 5000);
    PyMem_RawFree(other);
    if (failed != 0 || status != 0 || block == NULL) {
      fprintf(stderr, "round %d: program %d, finalization %d\n", round, failed, status);
      return 1;
    }
    printf("round %d\n", round);
  }
  PyMem_RawFree(block);
  return 0;
}
