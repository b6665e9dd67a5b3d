// What a client may send and what it must not, by the sections of RFC 9113. A case sends its bytes on a connection that
// is open, and says how it ends.
#include <ostream>

#include "unit/server/h2_edge.hpp"

namespace forebay::server::test {
namespace {

using std::string_literals::operator""s;

struct Outcome {
  enum class Kind { Connection, Stream, Served, Status } kind;
  std::uint32_t id = 1;
  std::vector<std::uint32_t> codes{};  // any of them
  int status = 0;
};
/// The connection ends with GOAWAY and one of these codes.
Outcome connection(std::vector<std::uint32_t> codes) { return {Outcome::Kind::Connection, 0, std::move(codes)}; }
Outcome connection(std::uint32_t code) { return connection(std::vector{code}); }
/// The stream is reset, and the connection goes on.
Outcome stream(std::uint32_t code, std::uint32_t id = 1) { return {Outcome::Kind::Stream, id, {code}}; }
/// Stream 1 is answered 200 (`id` 0: no stream is), and the connection goes on.
Outcome served(std::uint32_t id = 1) { return {Outcome::Kind::Served, id}; }
Outcome status(int code) { return {Outcome::Kind::Status, 1, {}, code}; }

struct Case {
  const char* name;
  std::string bytes;
  Outcome outcome;
  int started = 0;  // requests that reach the handler
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

h2::Lines without(std::string_view name) {
  auto lines = h2::request();
  std::erase_if(lines, [&](const auto& line) { return line.first == name; });
  return lines;
}
h2::Lines with(std::string_view name, std::string_view value) {
  auto lines = h2::request();
  for (auto& line : lines)
    if (line.first == name) line.second = value;
  return lines;
}
std::string section(const h2::Lines& lines) { return h2::headers(1, lines, true); }
std::string field(std::string name, std::string value) {
  return section(h2::request("/", {{std::move(name), std::move(value)}}));
}
/// A field section in these frames: HEADERS without END_HEADERS, then what follows.
std::string open_section(std::uint32_t id = 1) {
  return h2::frame(h2::kHeaders, h2::kEndStream, id, h2::hpack(h2::request()));
}
std::string raw_section(std::string_view block) {
  return h2::frame(h2::kHeaders, h2::kEndStream | h2::kEndHeaders, 1, block);
}
std::string post(const h2::Lines& more = {}) { return h2::headers(1, h2::request("/", more, "POST"), false); }

const std::uint32_t kIdle = 9;

std::vector<Case> cases() {
  using namespace h2;  // NOLINT: names of frames and codes
  const std::string whole = get(1);
  return {
      // 4.1 and 5.5: what is unknown is ignored.
      {"Section_4_1_UnknownFrameType", frame(0xfa, 0xff, 0, "payload") + whole, served(), 1},
      {"Section_4_1_UnknownFrameTypeOnStream", post() + frame(0xfa, 0, 1, "x") + data(1, "", true), served(), 1},
      {"Section_4_1_ReservedBitOfTheStream", frame(kPing, 0, 0x80000000, "12345678") + whole, served(), 1},
      {"Section_4_1_UndefinedFlags", frame(kPing, 0xfe, 0, "12345678") + whole, served(), 1},
      // 4.2
      {"Section_4_2_DataLargerThanAFrame", post() + data(1, std::string(16385, 'x'), true), connection(kFrameSizeError),
       1},
      {"Section_4_2_HeadersLargerThanAFrame", frame(kHeaders, kEndHeaders | kEndStream, 1, std::string(16385, 'x')),
       connection(kFrameSizeError)},
      {"Section_4_2_UnknownFrameLargerThanAFrame", frame(0xfa, 0, 0, std::string(16385, 'x')),
       connection(kFrameSizeError)},
      {"Section_4_2_DataOfTheLargestFrame", post() + data(1, std::string(16384, 'x'), true), served(), 1},
      // 4.3
      {"Section_4_3_IndexZero", raw_section("\x80"), connection(kCompressionError)},
      {"Section_4_3_IndexBeyondTheTable", raw_section("\xff\xff\x7f"), connection(kCompressionError)},
      {"Section_4_3_TruncatedSection",
       raw_section("\x82\x86\x84\x41\x0f"
                   "abc"),
       connection(kCompressionError)},
      {"Section_4_3_EndlessInteger", raw_section("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
       connection(kCompressionError)},
      {"Section_4_3_TableSizeOverTheSetting",
       raw_section("\x3f\xe2\x1f\x82\x86\x84\x41\x01"
                   "a"),
       connection(kCompressionError)},
      {"Section_4_3_TableSizeBehindAField",
       raw_section("\x82\x20\x86\x84\x41\x01"
                   "a"),
       connection(kCompressionError)},
      {"Section_4_3_HuffmanPaddingTooLong", raw_section("\x82\x86\x84\x41\x81\xff"), connection(kCompressionError)},
      {"Section_4_3_IndexedFields",
       raw_section("\x82\x86\x84\x41\x01"
                   "a"),
       served(), 1},
      {"Section_4_3_PingInsideASection", open_section() + ping(), connection(kProtocolError)},
      {"Section_4_3_HeadersInsideASection", open_section() + get(3), connection(kProtocolError)},
      {"Section_4_3_PriorityInsideASection", open_section() + priority(1, 0), connection(kProtocolError)},
      // 5.1, idle
      {"Section_5_1_DataOnIdleStream", data(kIdle, "x", true), connection(kProtocolError)},
      {"Section_5_1_RstStreamOnIdleStream", rst_stream(kIdle), connection(kProtocolError)},
      {"Section_5_1_WindowUpdateOnIdleStream", window_update(kIdle, 1), connection(kProtocolError)},
      {"Section_5_1_ContinuationOnIdleStream", frame(kContinuation, kEndHeaders, kIdle, hpack(request())),
       connection(kProtocolError)},
      {"Section_5_1_PriorityOnIdleStream", priority(kIdle, 0) + whole, served(), 1},
      // 5.1, half-closed and closed
      {"Section_5_1_DataAfterEndStream", whole + data(1, "x", true), connection(kStreamClosed), 1},
      {"Section_5_1_HeadersAfterEndStream", whole + get(1), connection({kStreamClosed, kProtocolError}), 1},
      {"Section_5_1_ContinuationAfterEndStream", whole + frame(kContinuation, kEndHeaders, 1, hpack(request())),
       connection(kProtocolError), 1},
      {"Section_5_1_WindowUpdateAfterTheEnd", whole + window_update(1, 100), served(), 1},
      {"Section_5_1_RstStreamAfterTheEnd", whole + rst_stream(1), {Outcome::Kind::Served, 0}, 1},
      {"Section_5_1_HeadersAfterRstStream", post() + rst_stream(1) + get(1),
       connection({kStreamClosed, kProtocolError}), 1},
      {"Section_5_1_PriorityAfterTheEnd", whole + priority(1, 0), served(), 1},
      {"Section_5_1_DataAfterTheServerHasReset",
       field("Bad", "x") + data(1, "x", true),
       {Outcome::Kind::Connection, 1, {kStreamClosed}}},
      // 5.1.1
      {"Section_5_1_1_EvenStream", get(2), connection(kProtocolError)},
      {"Section_5_1_1_DecreasingStream", get(5) + get(3), connection({kProtocolError, kStreamClosed}), 1},
      {"Section_5_1_1_HeadersOnTheConnection", get(0), connection(kProtocolError)},
      {"Section_5_1_1_StreamsMayBeSkipped", get(1) + get(7), served(7), 2},
      // 5.3
      {"Section_5_3_1_PriorityOnItself", priority(1, 1), connection(kProtocolError)},
      {"Section_5_3_1_HeadersOnItself",
       frame(kHeaders, kEndHeaders | kEndStream | kHasPriority, 1, number(1) + "\x0f" + hpack(request())),
       connection(kProtocolError)},
      {"Section_5_3_2_HeadersWithPriority",
       frame(kHeaders, kEndHeaders | kEndStream | kHasPriority, 1, number(3) + "\x0f" + hpack(request())), served(), 1},
      // 5.4.1 and 5.5
      {"Section_5_5_UnknownFrameInsideASection", open_section() + frame(0xfa, 0, 1, "x"), connection(kProtocolError)},
      // 6.1
      {"Section_6_1_DataOnTheConnection", data(0, "x", true), connection(kProtocolError)},
      {"Section_6_1_PaddingIsTheWholePayload",
       post() + frame(kData, kEndStream | kPadded, 1,
                      "\x05"
                      "abcd"),
       connection(kProtocolError), 1},
      {"Section_6_1_PaddedWithoutALength", post() + frame(kData, kEndStream | kPadded, 1),
       connection({kFrameSizeError, kProtocolError}), 1},
      {"Section_6_1_PaddedData",
       post({{"content-length", "3"}}) + frame(kData, kEndStream | kPadded, 1,
                                               "\x02"
                                               "abc\0\0"s),
       served(), 1},
      // 6.2
      {"Section_6_2_PaddingIsTheWholePayload",
       frame(kHeaders, kEndHeaders | kEndStream | kPadded, 1, "\x05\x82\x86\x84"), connection(kProtocolError)},
      {"Section_6_2_PaddedHeaders",
       frame(kHeaders, kEndHeaders | kEndStream | kPadded, 1, "\x02"s + hpack(request()) + "\0\0"s), served(), 1},
      {"Section_6_2_PriorityCutShort", frame(kHeaders, kEndHeaders | kEndStream | kHasPriority, 1, "\0\0"s),
       connection({kFrameSizeError, kProtocolError})},
      // 6.3
      {"Section_6_3_PriorityOnTheConnection", priority(0, 1), connection(kProtocolError)},
      {"Section_6_3_PriorityOfFourBytes", frame(kPriority, 0, 1, "abcd"), connection(kFrameSizeError)},
      // 6.4
      {"Section_6_4_RstStreamOnTheConnection", rst_stream(0), connection(kProtocolError)},
      {"Section_6_4_RstStreamOfThreeBytes", post() + frame(kRstStream, 0, 1, "abc"), connection(kFrameSizeError), 1},
      // 6.5
      {"Section_6_5_SettingsAckWithLength", frame(kSettings, kAck, 0, "abcdef"), connection(kFrameSizeError)},
      {"Section_6_5_SettingsOnAStream", frame(kSettings, 0, 1), connection(kProtocolError)},
      {"Section_6_5_SettingsOfFiveBytes", frame(kSettings, 0, 0, "abcde"), connection(kFrameSizeError)},
      {"Section_6_5_SettingsAckThatNobodyAwaits", settings_ack(), connection(kProtocolError)},
      {"Section_6_5_2_EnablePushIsTwo", settings({{2, 2}}), connection(kProtocolError)},
      {"Section_6_5_2_InitialWindowTooLarge", settings({{4, 0x80000000}}), connection(kFlowControlError)},
      {"Section_6_5_2_MaxFrameSizeTooSmall", settings({{5, 16383}}), connection(kProtocolError)},
      {"Section_6_5_2_MaxFrameSizeTooLarge", settings({{5, 16777216}}), connection(kProtocolError)},
      {"Section_6_5_2_UnknownSetting", settings({{0xfafa, 7}}) + whole, served(), 1},
      {"Section_6_5_2_EveryKnownSetting",
       settings({{1, 100}, {2, 0}, {3, 5}, {4, 70000}, {5, 16777215}, {6, 9999}}) + whole, served(), 1},
      {"Section_6_5_2_TooManySettings", settings(std::vector<std::pair<std::uint16_t, std::uint32_t>>(200, {1, 4096})),
       connection(kEnhanceYourCalm)},
      {"Section_6_5_3_LaterValueCounts", settings({{4, 0}, {4, 100}}) + whole, served(), 1},
      {"Section_6_5_3_NoRfc7540PrioritiesIsTwo", settings({{9, 2}}), connection(kProtocolError)},
      // 6.6
      {"Section_6_6_PushPromiseOfAClient", frame(kPushPromise, kEndHeaders, 1, number(2) + hpack(request())),
       connection(kProtocolError)},
      {"Section_8_4_PushPromiseOnAStream", post() + frame(kPushPromise, kEndHeaders, 1, number(2) + hpack(request())),
       connection(kProtocolError), 1},
      // 6.7
      {"Section_6_7_PingOnAStream", ping("12345678") + frame(kPing, 0, 1, "12345678"), connection(kProtocolError)},
      {"Section_6_7_PingOfSevenBytes", ping("1234567"), connection(kFrameSizeError)},
      {"Section_6_7_PingAckIsNotAnswered", ping("12345678", kAck) + whole, served(), 1},
      // 6.8
      {"Section_6_8_GoawayOnAStream", frame(kGoaway, 0, 1, number(0) + number(0)), connection(kProtocolError)},
      {"Section_6_8_GoawayCutShort", frame(kGoaway, 0, 0, number(0)), connection(kFrameSizeError)},
      // 6.9
      {"Section_6_9_NoCreditForTheConnection", window_update(0, 0), connection(kProtocolError)},
      {"Section_6_9_NoCreditForAStream", post() + window_update(1, 0), connection(kProtocolError), 1},
      {"Section_6_9_WindowUpdateOfThreeBytes", frame(kWindowUpdate, 0, 0, "abc"), connection(kFrameSizeError)},
      {"Section_6_9_1_TooMuchForTheConnection", window_update(0, 0x7fffffff), connection(kFlowControlError)},
      {"Section_6_9_1_TooMuchForAStream", post() + window_update(1, 0x7fffffff), stream(kFlowControlError), 1},
      {"Section_6_9_2_SettingsMakeTooMuch", post() + window_update(1, 0x7fff0000) + settings({{4, 0x7fffffff}}),
       stream(kFlowControlError), 1},
      {"Section_6_9_2_WindowBelowZero", settings({{4, 1}}) + get(1, "/abc") + settings({{4, 0}}) + settings({{4, 100}}),
       served(), 1},
      // 6.10
      {"Section_6_10_ContinuationFrames",
       frame(kHeaders, kEndStream, 1, hpack(request())) + frame(kContinuation, 0, 1, hpack({{"a", "b"}})) +
           frame(kContinuation, kEndHeaders, 1, hpack({{"c", "d"}})),
       served(), 1},
      {"Section_6_10_ContinuationAfterTheSection", whole + frame(kContinuation, kEndHeaders, 1, hpack({{"a", "b"}})),
       connection(kProtocolError), 1},
      {"Section_6_10_ContinuationOnAnotherStream", open_section() + frame(kContinuation, kEndHeaders, 3, "x"),
       connection(kProtocolError)},
      {"Section_6_10_ContinuationOnTheConnection", open_section() + frame(kContinuation, kEndHeaders, 0, "x"),
       connection(kProtocolError)},
      {"Section_6_10_ContinuationAfterData", post() + data(1, "x", false) + frame(kContinuation, kEndHeaders, 1, "x"),
       connection(kProtocolError), 1},
      {"Section_6_10_DataInsideASection", open_section() + data(1, "x", true), connection(kProtocolError)},
      // 8.1
      {"Section_8_1_HeadersWithoutEndStreamBehindContent",
       post() + data(1, "x", false) + headers(1, {{"x-a", "b"}}, false), stream(kProtocolError), 1},
      {"Section_8_1_PseudoFieldInTrailers", post() + headers(1, {{":path", "/"}}, true), stream(kProtocolError), 1},
      {"Section_8_1_UpperCaseInTrailers", post() + headers(1, {{"X-A", "b"}}, true), stream(kProtocolError), 1},
      {"Section_8_1_ConnectionInTrailers", post() + headers(1, {{"connection", "close"}}, true), stream(kProtocolError),
       1},
      {"Section_8_1_Trailers", post() + data(1, "x", false) + headers(1, {{"x-a", "b"}}, true), served(), 1},
      // 8.1.1
      {"Section_8_1_1_LessContentThanStated", post({{"content-length", "4"}}) + data(1, "abc", true),
       stream(kProtocolError), 1},
      {"Section_8_1_1_MoreContentThanStated", post({{"content-length", "2"}}) + data(1, "abc", true),
       stream(kProtocolError), 1},
      {"Section_8_1_1_LessContentOverSeveralFrames",
       post({{"content-length", "7"}}) + data(1, "abc", false) + data(1, "def", true), stream(kProtocolError), 1},
      {"Section_8_1_1_LessContentBeforeTrailers",
       post({{"content-length", "4"}}) + data(1, "abc", false) + headers(1, {{"x-a", "b"}}, true),
       stream(kProtocolError), 1},
      {"Section_8_1_1_NoContentForALength", field("content-length", "4"), stream(kProtocolError)},
      {"Section_8_1_1_LengthThatIsNoNumber", post({{"content-length", "3, 3"}}), stream(kProtocolError)},
      {"Section_8_1_1_LengthWithASign", post({{"content-length", "+3"}}), stream(kProtocolError)},
      {"Section_8_1_1_TwoLengths", post({{"content-length", "3"}, {"content-length", "3"}}), stream(kProtocolError)},
      {"Section_8_1_1_ContentAsStated", post({{"content-length", "6"}}) + data(1, "abc", false) + data(1, "def", true),
       served(), 1},
      {"Section_8_1_1_LengthZero", field("content-length", "0"), served(), 1},
      // 8.2 and 8.2.1
      {"Section_8_2_UpperCaseName", field("X-Upper", "x"), stream(kProtocolError)},
      {"Section_8_2_1_EmptyName", field("", "x"), stream(kProtocolError)},
      {"Section_8_2_1_SpaceInAName", field("x y", "x"), stream(kProtocolError)},
      {"Section_8_2_1_ColonInAName", field("x:y", "x"), stream(kProtocolError)},
      {"Section_8_2_1_ControlInAName", field("x\x01", "x"), stream(kProtocolError)},
      {"Section_8_2_1_LineEndInAName", field("x\r\ny", "x"), stream(kProtocolError)},
      {"Section_8_2_1_DeleteInAName", field("x\x7f", "x"), stream(kProtocolError)},
      {"Section_8_2_1_HighByteInAName", field("x\x80", "x"), stream(kProtocolError)},
      {"Section_8_2_1_CarriageReturnInAValue", field("x", "a\rb"), stream(kProtocolError)},
      {"Section_8_2_1_LineFeedInAValue", field("x", "a\nb"), stream(kProtocolError)},
      {"Section_8_2_1_SmuggledRequestInAValue", field("x", "a\r\n\r\nGET /other HTTP/1.1\r\nHost: b"),
       stream(kProtocolError)},
      {"Section_8_2_1_NulInAValue", field("x", "a\0b"s), stream(kProtocolError)},
      {"Section_8_2_1_LeadingSpaceInAValue", field("x", " a"), stream(kProtocolError)},
      {"Section_8_2_1_LeadingTabInAValue", field("x", "\ta"), stream(kProtocolError)},
      {"Section_8_2_1_TrailingSpaceInAValue", field("x", "a "), stream(kProtocolError)},
      {"Section_8_2_1_TrailingTabInAValue", field("x", "a\t"), stream(kProtocolError)},
      {"Section_8_2_1_EmptyValue", field("x", ""), served(), 1},
      {"Section_8_2_1_ObsTextInAValue", field("x", "caf\xc3\xa9"), served(), 1},
      // 8.2.2
      {"Section_8_2_2_Connection", field("connection", "close"), stream(kProtocolError)},
      {"Section_8_2_2_KeepAlive", field("keep-alive", "5"), stream(kProtocolError)},
      {"Section_8_2_2_ProxyConnection", field("proxy-connection", "keep-alive"), stream(kProtocolError)},
      {"Section_8_2_2_TransferEncoding", field("transfer-encoding", "chunked"), stream(kProtocolError)},
      {"Section_8_2_2_Upgrade", field("upgrade", "h2c"), stream(kProtocolError)},
      {"Section_8_2_2_TeOtherThanTrailers", field("te", "trailers, deflate;q=0.5"), stream(kProtocolError)},
      {"Section_8_2_2_TeTrailers", field("te", "trailers"), served(), 1},
      // 8.3
      {"Section_8_3_UnknownPseudoField", field(":unknown", "x"), stream(kProtocolError)},
      {"Section_8_3_PseudoFieldOfResponses", field(":status", "200"), stream(kProtocolError)},
      {"Section_8_3_PseudoFieldBehindAField",
       section(Lines{{":method", "GET"}, {":scheme", "http"}, {":authority", "shop.test"}, {"x", "y"}, {":path", "/"}}),
       stream(kProtocolError)},
      {"Section_8_3_TwoMethods", section(request("/", {{":method", "GET"}})), stream(kProtocolError)},
      {"Section_8_3_TwoPaths", section(request("/", {{":path", "/"}})), stream(kProtocolError)},
      {"Section_8_3_TwoSchemes", section(request("/", {{":scheme", "http"}})), stream(kProtocolError)},
      {"Section_8_3_TwoAuthorities", section(request("/", {{":authority", "shop.test"}})), stream(kProtocolError)},
      // 8.3.1
      {"Section_8_3_1_NoMethod", section(without(":method")), stream(kProtocolError)},
      {"Section_8_3_1_NoScheme", section(without(":scheme")), stream(kProtocolError)},
      {"Section_8_3_1_NoPath", section(without(":path")), stream(kProtocolError)},
      {"Section_8_3_1_NoPseudoFieldAtAll", section(Lines{{"host", "shop.test"}}), stream(kProtocolError)},
      {"Section_8_3_1_EmptySection", raw_section(""), stream(kProtocolError)},
      {"Section_8_3_1_NoAuthority", section(without(":authority")), status(400)},
      {"Section_8_3_1_EmptyPath", section(with(":path", "")), stream(kProtocolError)},
      {"Section_8_3_1_PathWithoutASlash", section(with(":path", "index.html")), stream(kProtocolError)},
      {"Section_8_3_1_PathWithASpace", section(with(":path", "/a b")), stream(kProtocolError)},
      {"Section_8_3_1_PathWithALineEnd", section(with(":path", "/ HTTP/1.1\r\nX: y")), stream(kProtocolError)},
      {"Section_8_3_1_PathWithAFragment", section(with(":path", "/a#b")), stream(kProtocolError)},
      {"Section_8_3_1_PathWithAHighByte", section(with(":path", "/caf\xc3\xa9")), stream(kProtocolError)},
      {"Section_8_3_1_PathInAbsoluteForm", section(with(":path", "http://other.test/")), stream(kProtocolError)},
      {"Section_8_3_1_AsteriskOfAGet", section(with(":path", "*")), stream(kProtocolError)},
      {"Section_8_3_1_UnknownScheme", section(with(":scheme", "ftp")), stream(kProtocolError)},
      {"Section_8_3_1_SchemeOfAProxyWithTls", section(with(":scheme", "https")), served(), 1},
      {"Section_8_3_1_EmptyMethod", section(with(":method", "")), stream(kProtocolError)},
      {"Section_8_3_1_MethodThatIsNoToken", section(with(":method", "GET /")), stream(kProtocolError)},
      {"Section_8_3_1_EmptyAuthority", section(with(":authority", "")), stream(kProtocolError)},
      {"Section_8_3_1_Userinfo", section(with(":authority", "me@shop.test")), stream(kProtocolError)},
      {"Section_8_3_1_AuthorityWithALineEnd", section(with(":authority", "shop.test\r\nX: y")), stream(kProtocolError)},
      {"Section_8_3_1_AuthorityWithAPath", section(with(":authority", "shop.test/x")), stream(kProtocolError)},
      {"Section_8_3_1_HostOfAnother", field("host", "other.test"), stream(kProtocolError)},
      {"Section_8_3_1_HostWithAnotherPort", field("host", "shop.test:81"), stream(kProtocolError)},
      {"Section_8_3_1_TheSameHost", field("host", "shop.test"), served(), 1},
      {"Section_8_3_1_TwoHosts", section(request("/", {{"host", "shop.test"}, {"host", "shop.test"}})),
       stream(kProtocolError)},
      // 8.5
      {"Section_8_5_ConnectWithAPath", section(request("/", {}, "CONNECT")), stream(kProtocolError)},
      {"Section_8_5_ConnectWithoutAnAuthority", section(Lines{{":method", "CONNECT"}}), stream(kProtocolError)},
      {"Section_8_5_ConnectIsForTheHandler", section(Lines{{":method", "CONNECT"}, {":authority", "a.test:443"}}),
       served(), 1},
      {"Section_8_5_ExtendedConnect", section(request("/", {{":protocol", "websocket"}}, "CONNECT")),
       stream(kProtocolError)},
      // RFC 9218
      {"Rfc9218_Section_2_1_SettingChangesLater", settings({{9, 1}}), connection(kProtocolError)},
      {"Rfc9218_Section_7_1_PriorityUpdateOnAStream", frame(kPriorityUpdate, 0, 1, number(1) + "u=1"),
       connection(kProtocolError)},
      {"Rfc9218_Section_7_1_PriorityUpdateOfTheConnection", frame(kPriorityUpdate, 0, 0, number(0) + "u=1"),
       connection(kProtocolError)},
      {"Rfc9218_Section_7_1_PriorityUpdateCutShort", frame(kPriorityUpdate, 0, 0, "ab"), connection(kFrameSizeError)},
      {"Rfc9218_Section_7_1_PriorityUpdateBeforeTheRequest", frame(kPriorityUpdate, 0, 0, number(1) + "u=1, i") + whole,
       served(), 1},
      {"Rfc9218_Section_4_MalformedPriority", field("priority", "u=9, =="), served(), 1},
  };
}

class Rfc9113 : public H2Test, public testing::WithParamInterface<Case> {};

TEST_P(Rfc9113, Holds) {
  const Case& c = GetParam();
  // Content is read to its end before the answer, so that what is wrong with it comes first.
  struct Reader final : Waiter {
    explicit Reader(ExchangePtr its_exchange) : exchange(std::move(its_exchange)) {}
    void woken() override { go_on(); }
    void go_on() {
      std::string_view view;
      for (;;) {
        const auto state = exchange->body().pull(view);
        if (state == net::BodySource::State::Wait) return exchange->body().wait(*this);
        if (state == net::BodySource::State::End) return answer_text(*exchange, "ok");
        if (state != net::BodySource::State::Data) return;
      }
    }
    ExchangePtr exchange;
  };
  std::deque<Reader> readers;
  handler.script = [&](const ExchangePtr& exchange) {
    readers.emplace_back(exchange);
    readers.back().go_on();
  };
  open();
  ASSERT_EQ(incoming.settings_acks, 1U);
  send(c.bytes);
  EXPECT_EQ(handler.started, c.started);
  if (c.outcome.kind == Outcome::Kind::Connection) {
    ASSERT_TRUE(goaway()) << "no GOAWAY";
    EXPECT_THAT(c.outcome.codes, testing::Contains(*goaway()));
    EXPECT_TRUE(closed);
  } else {
    EXPECT_FALSE(goaway()) << *goaway();
    if (c.outcome.id != 0) {
      h2::Stream& got = on(c.outcome.id);
      if (c.outcome.kind == Outcome::Kind::Stream) {
        EXPECT_TRUE(got.reset && *got.reset == c.outcome.codes[0]) << got.reset.value_or(999);
        EXPECT_EQ(got.status, 0);
        EXPECT_EQ(listener->numbers->rejected_malformed,
                  c.outcome.codes[0] == h2::kProtocolError && handler.started <= 1 ? 1U : 0U);
      } else {
        EXPECT_FALSE(got.reset);
        EXPECT_EQ(got.status, c.outcome.kind == Outcome::Kind::Status ? c.outcome.status : 200);
        EXPECT_TRUE(got.ended);
      }
    }
    send(h2::get(101, "/after"));
    EXPECT_EQ(on(101).status, 200) << "the connection goes on";
  }
  readers.clear();
}

INSTANTIATE_TEST_SUITE_P(Client, Rfc9113, testing::ValuesIn(cases()),
                         [](const auto& tested) { return std::string(tested.param.name); });

// --- what needs more than bytes on an open connection ---

using Rfc9113Connection = H2Test;

TEST_F(Rfc9113Connection, Section_3_4_PrefaceMayComeByteByByte) {
  open_silent();
  const std::string all = h2::kPreface + h2::settings() + h2::get(1);
  for (const char c : all) send(std::string_view(&c, 1));
  EXPECT_EQ(on(1).status, 200);
}

TEST_F(Rfc9113Connection, Section_3_4_AWrongPrefaceEndsTheConnection) {
  open_silent();
  send("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX");
  EXPECT_EQ(goaway(), h2::kProtocolError);
  EXPECT_TRUE(closed);
}

TEST_F(Rfc9113Connection, Section_3_4_SettingsComeFirst) {
  open_silent();
  send(h2::kPreface + h2::get(1));
  EXPECT_EQ(goaway(), h2::kProtocolError);
  EXPECT_EQ(handler.started, 0);
  EXPECT_TRUE(closed);
}

TEST_F(Rfc9113Connection, Section_3_1_UpgradeToH2cIsIgnored) {
  open_silent();
  const std::string request =
      "GET /old HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
      "AAMAAABk\r\n\r\n";
  reads = false;
  send(request);
  char piece[4096];
  const auto n = ::recv(client, piece, sizeof piece, MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  EXPECT_TRUE(std::string_view(piece, static_cast<std::size_t>(n)).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Rfc9113Connection, Section_3_3_WithoutHttp2ThePrefaceIsRefused) {
  config::Listener config;
  config.http2 = false;
  open_silent(config);
  reads = false;
  send(h2::kPreface);
  char piece[4096];
  const auto n = ::recv(client, piece, sizeof piece, MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  EXPECT_TRUE(std::string_view(piece, static_cast<std::size_t>(n)).starts_with("HTTP/1.1 505 "));
  EXPECT_EQ(handler.last_refused().method, "PRI");
  EXPECT_THAT(handler.last_refused().detail, testing::HasSubstr("uses HTTP/2"));
}

TEST_F(Rfc9113Connection, Section_3_3_ThePrefaceBehindARequestIsNoPreface) {
  open_silent();
  reads = false;
  send("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + h2::kPreface);
  char piece[4096];
  const auto n = ::recv(client, piece, sizeof piece, MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  EXPECT_THAT(std::string(piece, static_cast<std::size_t>(n)), testing::HasSubstr("HTTP/1.1 505 "));
}

TEST_F(Rfc9113Connection, Section_5_1_ContentMayFollowOnAllStreamsThatTheServerHasEnded) {
  handler.server.streams = 600;
  open();
  // The answers leave before their content comes, and the client knows of none yet.
  std::string heads, contents;
  for (std::uint32_t id = 1; id < 1200; id += 2) {
    heads += h2::headers(id, h2::request("/", {}, "POST"), false);
    contents += h2::data(id, "on its way", false) + h2::headers(id, {{"x-sum", "9"}}, true);
  }
  send(heads);
  EXPECT_EQ(on(1199).status, 200);
  EXPECT_EQ(on(1).reset, h2::kNoError);
  send(contents);
  EXPECT_FALSE(goaway());
  send(h2::get(1201));
  EXPECT_EQ(on(1201).status, 200);
}

TEST_F(Rfc9113Connection, Section_5_1_2_StreamsBeyondTheLimitAreRefused) {
  handler.server.streams = 2;
  keep_exchanges();
  open_silent();
  send(h2::kPreface + h2::settings() + h2::get(1) + h2::get(3) + h2::get(5));
  EXPECT_EQ(kept.size(), 2U);
  EXPECT_EQ(on(5).reset, h2::kRefusedStream) << "the client does not know the limit yet";
  send(h2::settings_ack());
  answer_text(*kept[0], "done");
  run();
  send(h2::get(7));
  EXPECT_EQ(kept.size(), 3U) << "a place is free again";
  send(h2::get(9));
  EXPECT_EQ(goaway(), h2::kProtocolError) << "now it knows";
}

TEST_F(Rfc9113Connection, Section_5_1_2_ContentOfARefusedStreamIsIgnored) {
  handler.server.streams = 1;
  keep_exchanges();
  open_silent();
  send(h2::kPreface + h2::settings() + h2::get(1) + h2::headers(3, h2::request("/", {}, "POST"), false) +
       h2::data(3, "content", true));
  EXPECT_EQ(on(3).reset, h2::kRefusedStream);
  EXPECT_FALSE(goaway());
  answer_text(*kept[0], "done");
  run();
  EXPECT_EQ(on(1).body, "done");
}

TEST_F(Rfc9113Connection, Section_6_7_PingIsAnsweredWithItsBytes) {
  open();
  send(h2::ping("abcdefgh"));
  ASSERT_EQ(incoming.pongs, 1U);
  EXPECT_EQ(incoming.ping_data[0], "abcdefgh");
}

TEST_F(Rfc9113Connection, Section_6_8_StreamsGoOnAfterTheClientsGoaway) {
  keep_exchanges();
  open();
  send(h2::get(1) + h2::frame(h2::kGoaway, 0, 0, h2::number(0) + h2::number(0)));
  answer_text(*kept[0], "last");
  run();
  EXPECT_EQ(on(1).body, "last");
  EXPECT_TRUE(closed);
}

TEST_F(Rfc9113Connection, Section_6_5_3_SettingsAreAcknowledged) {
  open();
  send(h2::settings({{4, 100}}) + h2::settings());
  EXPECT_EQ(incoming.settings_acks, 3U);
}

TEST_F(Rfc9113Connection, Section_6_9_ResetStreamsGiveTheirCreditBack) {
  keep_exchanges();
  open();
  const auto before = incoming.credit;
  const std::string piece(16384, 'x');
  for (std::uint32_t id = 1; id < 40; id += 2) {
    send(h2::headers(id, h2::request("/", {}, "POST"), false) + h2::data(id, piece, false) + h2::rst_stream(id));
    kept.clear();
  }
  EXPECT_GE(incoming.credit - before, 10 * piece.size());
  EXPECT_FALSE(goaway());
}

}  // namespace
}  // namespace forebay::server::test
