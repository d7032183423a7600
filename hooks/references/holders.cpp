#include "hooks/references/holders.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "hooks/compat/world.h"
#include "hooks/references/steps.h"
#include "hooks/references/text.h"
#include "hooks/references/walk.h"

namespace memtrace::references {

namespace {

Link link_to(PyObject* object, Step step) {
  return {std::move(step.kind), std::move(step.name), type_name(Py_TYPE(object)), object_name(object),
          reinterpret_cast<std::uintptr_t>(object)};
}

// Writes the links of one chain.
class Writer {
 public:
  Writer(Path path, std::size_t longest) : path_(path), longest_(longest) {}

  void name_root(std::string kind, std::string name) {
    chain_.root_kind = std::move(kind);
    chain_.root_name = std::move(name);
  }

  // The first object of the path is the root's own.
  void skip_first() { at_ = 1; }

  void add(Step step) {
    at_ += step.objects;
    chain_.links.push_back(link_to(path_[at_ - 1], std::move(step)));
    ends_.push_back(at_);
  }

  // The rest of the path. Of more links than there may be the middle is left out.
  void follow() {
    chain_.head = longest_ / 2;
    const std::size_t tail = longest_ - chain_.head;
    while (at_ < path_.size() && chain_.links.size() < chain_.head) add_next();
    chain_.head = chain_.links.size();
    const std::size_t skipped_from = at_;
    // Nearly all links go over three objects at most. Of a list of millions only the end is described.
    if (path_.size() - at_ > 3 * tail) at_ = path_.size() - 3 * tail;
    std::size_t skipped_to = at_;
    while (at_ < path_.size()) add_next();
    if (chain_.links.size() > chain_.head + tail) {
      const std::size_t excess = chain_.links.size() - chain_.head - tail;
      skipped_to = ends_[chain_.head + excess - 1];
      const auto first = chain_.links.begin() + static_cast<std::ptrdiff_t>(chain_.head);
      chain_.links.erase(first, first + static_cast<std::ptrdiff_t>(excess));
    }
    chain_.skipped = skipped_to - skipped_from;
  }

  Chain take() { return std::move(chain_); }

 private:
  void add_next() { add(step_from(path_[at_ - 1], path_.subspan(at_))); }

  Path path_;
  std::size_t longest_;
  std::size_t at_ = 0;             // objects of the path that are behind
  std::vector<std::size_t> ends_;  // the same behind each link
  Chain chain_;
};

// The path begins with what the root holds.
Chain describe(const Root& root, bool is_callers, Path path, std::size_t longest) {
  Writer writer(path, longest);
  writer.name_root(is_callers && root.kind == Root::Kind::kFrame ? "caller" : kind_name(root.kind), root_name(root));
  switch (root.kind) {
    case Root::Kind::kModule:
      if (path.size() > 1) {
        writer.skip_first();
      } else {
        writer.name_root("module", "sys");
        writer.add({"entry of modules", key_text(root.module)});
      }
      break;
    case Root::Kind::kFrame:
      writer.add(step_from(root.frame, path));
      break;
    case Root::Kind::kThread:
      writer.add({root.what, ""});
      break;
    default:
      writer.add({"reference", ""});
  }
  writer.follow();
  return writer.take();
}

Chain describe_cycle(std::vector<PyObject*> objects, std::size_t longest) {
  objects.push_back(objects.front());
  Writer writer(objects, longest);
  writer.name_root(kind_name(Root::Kind::kCycle), "");
  writer.skip_first();
  writer.follow();
  return writer.take();
}

Chain describe_garbage(PyObject* holder, PyObject* target, std::size_t longest) {
  PyObject* const path[] = {holder, target};
  Writer writer(path, longest);
  writer.name_root(kind_name(Root::Kind::kCycle), "");
  writer.add({"garbage", ""});
  writer.follow();
  return writer.take();
}

std::vector<Chain> chains_to(PyObject* target, const Walk& walk, const Question& question) {
  const std::uint32_t number = walk.number_of(target);
  std::vector<Walk::Holder> holders;
  for (const Walk::Holder& holder : walk.holders())
    if (holder.target == number) holders.push_back(holder);
  const auto turn = [](const Walk::Holder& holder) { return holder.turn; };
  std::ranges::stable_sort(holders, {}, turn);

  std::vector<Chain> chains;
  const auto add = [&](const Walk::Holder& holder) {
    if (chains.size() >= question.limit || walk.passes(holder.from, number)) return;
    const std::vector<PyObject*> path = walk.path(holder.from, target);
    const bool is_callers = holder.turn == Walk::Turn::kCaller;
    chains.push_back(describe(walk.root(holder.from, target), is_callers, path, question.longest));
  };
  const auto callers = std::ranges::find(holders, Walk::Turn::kCaller, turn);
  std::for_each(holders.begin(), callers, add);
  if (chains.empty()) {
    if (std::vector<PyObject*> objects = walk.cycle(target); !objects.empty()) {
      chains.push_back(describe_cycle(std::move(objects), question.longest));
    } else if (PyObject* const holder = walk.unreached_holder(number)) {
      chains.push_back(describe_garbage(holder, target, question.longest));
    }
  }
  std::for_each(callers, holders.end(), add);
  return chains;
}

}  // namespace

std::vector<std::vector<Chain>> find_holders(const Question& question) {
  std::vector<std::vector<Chain>> found;
  std::exception_ptr failure;
  compat::with_world_stopped([&] {
    try {
      const Walk walk(question.targets, question.own, question.own_frames);
      for (PyObject* const target : question.targets) found.push_back(chains_to(target, walk, question));
    } catch (...) {
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  return found;
}

}  // namespace memtrace::references
