#pragma once

#include "content.hpp"
#include "core.hpp"
#include "deliver.hpp"

namespace forebay::proxy {

/// Parses the head of a waiting request again into the worker's `reading`, for its route.
void read_again(Core& core, const Story& story);

/// The look-up of a key that was just built in `core.key` from `core.reading`. If a stored response of this resource
/// has a No-Vary-Search rule, the key under that rule is tried first, and `core.key` is then that key.
cache::Lookup look_up(Core& core, const http::RequestView& request, std::optional<std::string_view> content,
                      const cache::Selecting& selecting);
/// The look-up of a waiting request with a key.
cache::Lookup look_up(Core& core, const Story& story);
/// The same after its wait for a flight has timed out (`Store::supersede`).
cache::Lookup supersede(Core& core, const Story& story, const Ref<cache::Flight>& waited);
/// The same after its flight has failed and the leader may be the cause (`Store::retry`).
cache::Lookup retry(Core& core, const Story& story, const Ref<cache::Flight>& failed);

/// Whether the response found earlier is still for this request under the current names of Vary.
bool still_selected(const Core& core, const Story& story, const cache::VaryRef& names);
/// Whether it may be served in place of an error.
bool may_stand_in(const Core& core, const Story& story, const rules::Freshness& freshness, const cache::VaryRef& names);

/// For a waiting request whose content has been read: builds the key and looks up, or forwards it.
void go_on(Core& core, const StoryPtr& story, std::string_view content, Gathered outcome);

/// Keeps the content that was read, charged.
void keep_content(Core& core, Story& story, std::string_view content, Gathered outcome);

/// Handles a request that is not looked up. Its content, or the first part, is read before it is forwarded.
void pass_on(Core& core, const StoryPtr& story, rules::Reason reason);
/// Forwards it with the content that has been read. The response is not stored and has this status.
void forward(Core& core, const StoryPtr& story, const rules::CacheStatus& status);
/// Answers with one of Forebay's own errors.
void refuse(Core& core, const StoryPtr& story, const OwnError& error);

}  // namespace forebay::proxy
