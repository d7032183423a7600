// Who holds an object: the function of memtrace._core under memtrace.holders().
#include <pybind11/pybind11.h>

#include <cstddef>
#include <span>
#include <vector>

#include "hooks/references/holders.h"
#include "python/binding/binding.h"
#include "python/binding/convert.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

// (root kind, root name, links before those left out, objects left out, links); a link is (kind, name, type, object,
// address).
py::tuple to_tuple(const references::Chain& chain) {
  py::tuple links(chain.links.size());
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    const references::Link& link = chain.links[i];
    links[i] =
        py::make_tuple(to_str(link.kind), to_str(link.name), to_str(link.type), to_str(link.object), link.address);
  }
  return py::make_tuple(to_str(chain.root_kind), to_str(chain.root_name), chain.head, chain.skipped, links);
}

py::list find_holders(const py::list& targets, std::size_t limit, std::size_t longest, unsigned own_frames) {
  PyObject** const items = reinterpret_cast<PyListObject*>(targets.ptr())->ob_item;
  const std::span<PyObject* const> objects(items, py::len(targets));
  const auto found = references::find_holders({objects, targets.ptr(), own_frames, limit, longest});
  py::list result;
  for (const std::vector<references::Chain>& chains : found) {
    py::list of_target;
    for (const references::Chain& chain : chains) of_target.append(to_tuple(chain));
    result.append(of_target);
  }
  return result;
}

}  // namespace

void bind_holders(py::module_& module) {
  module.def("find_holders", &find_holders, py::arg("targets"), py::arg("limit"), py::arg("longest"),
             py::arg("own_frames"));
}

}  // namespace memtrace::binding
