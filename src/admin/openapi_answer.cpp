#include "answers.hpp"

extern "C" const char forebay_openapi_begin[], forebay_openapi_end[];

namespace forebay::admin {

std::string_view openapi_document() noexcept { return {forebay_openapi_begin, forebay_openapi_end}; }

std::optional<Answer> answer_openapi(const Call&) {
  Answer answer;
  answer.body = openapi_document();
  return answer;
}

}  // namespace forebay::admin
