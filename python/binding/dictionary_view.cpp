#include "python/binding/dictionary_view.h"

#include <mutex>
#include <vector>

#include "python/binding/convert.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

py::object known_or_none(std::int32_t value, bool known) { return known ? py::object(py::int_(value)) : py::none(); }

}  // namespace

const py::object& DictionaryView::name(snapshot::StringId id) {
  auto found = names_.find(id);
  if (found == names_.end()) found = names_.emplace(id, to_str(dictionary_->string(id))).first;
  return found->second;
}

const py::object& DictionaryView::frame(snapshot::FrameId id) {
  auto found = frames_.find(id);
  if (found == frames_.end()) {
    const snapshot::Frame& frame = dictionary_->frame(id);
    found = frames_.emplace(id, py::make_tuple(name(frame.filename), frame.lineno)).first;
  }
  return found->second;
}

py::tuple DictionaryView::detail(snapshot::FrameId id) {
  const snapshot::Frame& frame = dictionary_->frame(id);
  const bool named = frame.function != snapshot::kEmptyString;
  return py::make_tuple(
      named ? name(frame.function) : py::none(), known_or_none(frame.end_lineno, frame.end_lineno > 0),
      known_or_none(frame.column, frame.column >= 0), known_or_none(frame.end_column, frame.end_column >= 0));
}

py::tuple DictionaryView::frames(Reference reference) {
  const std::lock_guard lock(mutex_);
  switch (reference.kind_) {
    case Reference::Kind::stack: {
      const std::vector<snapshot::FrameId> ids = dictionary_->frames_of(reference.id_);
      py::tuple result(ids.size());
      for (std::size_t i = 0; i < ids.size(); ++i) result[i] = frame(ids[i]);
      return result;
    }
    case Reference::Kind::frame:
      return py::make_tuple(frame(reference.id_));
    case Reference::Kind::file:
      break;
  }
  return py::make_tuple(py::make_tuple(name(dictionary_->frame(reference.id_).filename), 0));
}

py::tuple DictionaryView::details(Reference reference) {
  const std::lock_guard lock(mutex_);
  switch (reference.kind_) {
    case Reference::Kind::stack: {
      const std::vector<snapshot::FrameId> ids = dictionary_->frames_of(reference.id_);
      py::tuple result(ids.size());
      for (std::size_t i = 0; i < ids.size(); ++i) result[i] = detail(ids[i]);
      return result;
    }
    case Reference::Kind::frame:
      return py::make_tuple(detail(reference.id_));
    case Reference::Kind::file:
      break;
  }
  return py::make_tuple(py::make_tuple(py::none(), py::none(), py::none(), py::none()));
}

py::tuple DictionaryView::frames_of_trace(snapshot::StackId stack) {
  const std::lock_guard lock(mutex_);
  py::tuple result(dictionary_->depth(stack));
  for (std::size_t i = 0; stack != snapshot::kEmptyStack; ++i) {
    const snapshot::Stack top = dictionary_->stack(stack);
    result[i] = frame(top.frame);
    stack = top.parent;
  }
  return result;
}

}  // namespace memtrace::binding
