#pragma once

#include "content.hpp"
#include "core.hpp"
#include "deliver.hpp"

namespace forebay::proxy {

/// Reads the head of a story's request once more into the worker's `reading`, for its route: what a wait has left
/// behind.
void read_again(Core& core, const Story& story);

/// The look-up of a key that was just built in `core.key` from `core.reading`. Where stored responses of this resource
/// came with a No-Vary-Search rule, one that the rule finds is found first, and `core.key` is then its key.
cache::Lookup look_up(Core& core, const http::RequestView& request, std::optional<std::string_view> content,
                      const cache::Selecting& selecting);
/// The look-up of a story that has its key.
cache::Lookup look_up(Core& core, const Story& story);
/// The same when its wait for a flight is over (`Store::supersede`).
cache::Lookup supersede(Core& core, const Story& story, const Ref<cache::Flight>& waited);
/// The same when the flight that it waited for has failed by what may be its leader's own doing (`Store::retry`).
cache::Lookup retry(Core& core, const Story& story, const Ref<cache::Flight>& failed);

/// Whether what was found, perhaps long ago, is still for this request by all that its key has shown to vary by.
bool still_selected(const Core& core, const Story& story, const cache::VaryRef& names);
/// Whether it may stand in for an error.
bool may_stand_in(const Core& core, const Story& story, const rules::Freshness& freshness, const cache::VaryRef& names);

/// A story whose content has been read as far as it will be: builds the key and looks up, or passes it on.
void go_on(Core& core, const StoryPtr& story, std::string_view content, Gathered outcome);

/// Keeps what was read of a story's content, charged.
void keep_content(Core& core, Story& story, std::string_view content, Gathered outcome);

/// What becomes of a request that is not looked up. Its content, or the first part, is read before it goes forward.
void pass_on(Core& core, const StoryPtr& story, rules::Reason reason);
/// Forwards it, with content that has been read as far as it will be, for an answer that is not stored and says this.
void forward(Core& core, const StoryPtr& story, const rules::CacheStatus& status);
/// Answers with one of Forebay's own errors.
void refuse(Core& core, const StoryPtr& story, const OwnError& error);

}  // namespace forebay::proxy
