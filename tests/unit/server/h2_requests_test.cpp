// Requests and answers over HTTP/2.
#include "unit/server/h2_edge.hpp"

namespace forebay::server::test {
namespace {

using H2Requests = H2Test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST_F(H2Requests, AGetIsAnswered) {
  handler.script = [](const ExchangePtr& exchange) {
    const auto& request = exchange->request();
    EXPECT_EQ(request.method, http::Method::Get);
    EXPECT_EQ(request.version, http::Version::Http2);
    EXPECT_EQ(request.target, "/a?b");
    EXPECT_EQ(request.authority, "shop.test");
    EXPECT_EQ(request.fields.value("X-One"), "1");
    EXPECT_EQ(request.fields.value(http::FieldId::Host), "shop.test");
    EXPECT_FALSE(exchange->has_body());
    answer_text(*exchange, "hello");
  };
  open();
  send(h2::get(1, "/a?b", {{"x-one", "1"}}));
  EXPECT_EQ(on(1).status, 200);
  EXPECT_EQ(on(1).body, "hello");
  EXPECT_TRUE(on(1).ended);
  EXPECT_EQ(on(1).get("content-type"), "text/plain");
  EXPECT_EQ(on(1).get("content-length"), "5");
  EXPECT_EQ(incoming.settings_acks, 1U);
  const auto tally = handler.tallies(1)[0];
  EXPECT_EQ(tally.status, 200);
  EXPECT_EQ(tally.bytes_out, 5U);
  EXPECT_TRUE(tally.completed);
}

TEST_F(H2Requests, SettingsTellTheLimits) {
  handler.server.streams = 17;
  open();
  EXPECT_EQ(incoming.settings[0x3], 17U);
  EXPECT_EQ(incoming.settings[0x4], 65536U);
  EXPECT_EQ(incoming.settings[0x9], 1U) << "SETTINGS_NO_RFC7540_PRIORITIES";
  EXPECT_EQ(incoming.settings.count(0x8), 0U) << "no extended CONNECT";
  EXPECT_GT(incoming.credit, 0U);
}

TEST_F(H2Requests, AnswersOfOneReadLeaveInOneWrite) {
  open();
  std::string all;
  for (std::uint32_t id = 1; id < 64; id += 2) all += h2::get(id, "/" + std::to_string(id));
  reads = false;
  send(all);
  // What one receive of the client gets is one message of the socket pair only if it was one write.
  std::string piece(1 << 20, '\0');
  const auto n = ::recv(client, piece.data(), piece.size(), MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  incoming.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
  for (std::uint32_t id = 1; id < 64; id += 2) {
    EXPECT_EQ(on(id).body, "/" + std::to_string(id));
    EXPECT_TRUE(on(id).ended);
  }
  EXPECT_EQ(handler.tallies(32).size(), 32U);
}

TEST_F(H2Requests, HeadsThatFillTheOutputEndTheirExchanges) {
  // The last of them takes the output over its limit. Huffman coding makes no such value shorter.
  const std::string value(14'000, '|');
  handler.script = [&](const ExchangePtr& exchange) {
    const http::Field large{"X-Large", value, http::FieldId::Other};
    AnswerHead head;
    head.status = 304;
    head.fields = http::FieldsView({&large, 1});
    exchange->answer(head, {});
  };
  open();
  send(h2::get(1) + h2::get(3) + h2::get(5) + h2::get(7) + h2::get(9));
  EXPECT_TRUE(on(9).ended);
  EXPECT_EQ(handler.finished_so_far(), 5U);
}

TEST_F(H2Requests, ExchangesAreUsedAgain) {
  open();
  for (std::uint32_t id = 1; id < 20; id += 2) send(h2::get(id));
  EXPECT_EQ(handler.started, 10);
  EXPECT_EQ(handler.notes_made, 1);
}

TEST_F(H2Requests, AnswersComeInAnyOrder) {
  keep_exchanges();
  open();
  send(h2::get(1, "/1") + h2::get(3, "/3"));
  ASSERT_EQ(kept.size(), 2U);
  answer_text(*kept[1], "second");
  run();
  EXPECT_EQ(on(3).body, "second");
  EXPECT_EQ(on(1).status, 0);
  answer_text(*kept[0], "first");
  run();
  EXPECT_EQ(on(1).body, "first");
}

TEST_F(H2Requests, CookieCrumbsBecomeOneField) {
  handler.script = [](const ExchangePtr& exchange) {
    const auto& fields = exchange->request().fields;
    EXPECT_EQ(fields.count(http::FieldId::Cookie), 1U);
    answer_text(*exchange, std::string(fields.value(http::FieldId::Cookie).value_or("")) + "|" +
                               std::string(fields.value("x-last").value_or("")));
  };
  open();
  send(h2::get(1, "/", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}, {"x-last", "z"}}));
  EXPECT_EQ(on(1).body, "a=1; b=2; c=3|z");
}

TEST_F(H2Requests, HostAloneIsTheAuthority) {
  handler.script = [](const ExchangePtr& exchange) { answer_text(*exchange, exchange->request().authority); };
  open();
  send(h2::headers(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "only.test"}}, true));
  EXPECT_EQ(on(1).body, "only.test");
  send(h2::headers(3, h2::request("/", {{"host", "SHOP.test:80"}}), true));
  EXPECT_EQ(on(3).body, "shop.test") << "the same host in another spelling";
}

TEST_F(H2Requests, ARequestWithoutAnAuthorityIs400) {
  open();
  send(h2::headers(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, true));
  EXPECT_EQ(on(1).status, 400);
  EXPECT_EQ(handler.started, 0);
  EXPECT_EQ(handler.last_refused().detail, "The request has no authority.");
}

TEST_F(H2Requests, HeadAndStatusesWithoutContentHaveNone) {
  handler.script = [](const ExchangePtr& exchange) {
    answer_text(*exchange, "content", exchange->request().target == "/304" ? 304 : 200);
  };
  open();
  send(h2::headers(1, h2::request("/", {}, "HEAD"), true) + h2::get(3, "/304"));
  for (const std::uint32_t id : {1U, 3U}) {
    EXPECT_EQ(on(id).body, "");
    EXPECT_EQ(on(id).data_frames, 0U);
    EXPECT_TRUE(on(id).ended);
    EXPECT_EQ(on(id).get("content-length"), "7");
  }
}

TEST_F(H2Requests, AsteriskFormIsForOptionsAlone) {
  open();
  send(h2::headers(1, h2::request("*", {}, "OPTIONS"), true));
  EXPECT_EQ(on(1).body, "*");
  send(h2::headers(3, h2::request("*"), true));
  EXPECT_EQ(on(3).reset, h2::kProtocolError);
}

TEST_F(H2Requests, InterimResponsesComeFirst) {
  handler.script = [](const ExchangePtr& exchange) {
    const http::Field link{"Link", "</a.css>; rel=preload", http::FieldId::Link};
    exchange->interim(103, http::FieldsView({&link, 1}));
    answer_text(*exchange, "x");
  };
  open();
  send(h2::get(1));
  ASSERT_EQ(on(1).interim.size(), 1U);
  EXPECT_EQ(on(1).interim[0].status, 103);
  EXPECT_EQ(on(1).interim[0].get("link"), "</a.css>; rel=preload");
  EXPECT_EQ(on(1).status, 200);
}

TEST_F(H2Requests, TheTallyTellsWhenTheFinalHeadWentNotAnInterimOne) {
  const Ref<http::Body> body(new http::Body);
  keep_exchanges();
  open();
  send(h2::get(1));
  kept[0]->interim(103, {});
  run();
  ASSERT_EQ(on(1).interim.size(), 1U);
  pass(30ms);
  kept[0]->answer({}, http::BodyCursor(body));
  run();
  EXPECT_EQ(on(1).status, 200);
  EXPECT_EQ(kept[0]->tally().first_byte - kept[0]->tally().started, 30ms);
  pass(20ms);
  http::Fields trailers;
  trailers.add("X-Sum", "42");
  body->append(slice_of("x"));
  body->finish(trailers);
  run();
  ASSERT_TRUE(on(1).ended);
  const auto tally = handler.tallies(1)[0];
  EXPECT_EQ(tally.first_byte - tally.started, 30ms);
  EXPECT_EQ(tally.finished - tally.started, 50ms);
}

TEST_F(H2Requests, AGrowingBodyIsSentAsItGrows) {
  const Ref<http::Body> body(new http::Body);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer({}, http::BodyCursor(body)); };
  open();
  send(h2::get(1));
  EXPECT_EQ(on(1).status, 200);
  EXPECT_EQ(on(1).get("content-length"), "-");
  body->append(slice_of("one "));
  run();
  EXPECT_EQ(on(1).body, "one ");
  http::Fields trailers;
  trailers.add("X-Sum", "42");
  body->append(slice_of("two"));
  body->finish(trailers);
  run();
  EXPECT_EQ(on(1).body, "one two");
  EXPECT_TRUE(on(1).ended);
  EXPECT_THAT(on(1).trailers, ElementsAre(Pair("x-sum", "42")));
}

TEST_F(H2Requests, ABrokenBodyNeverLooksComplete) {
  const Ref<http::Body> body(new http::Body);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer({}, http::BodyCursor(body)); };
  open();
  send(h2::get(1));
  body->append(slice_of("half"));
  run();
  body->break_off();
  run();
  EXPECT_EQ(on(1).body, "half");
  EXPECT_FALSE(on(1).ended);
  EXPECT_EQ(on(1).reset, h2::kInternalError);
  EXPECT_FALSE(handler.tallies(1)[0].completed);
  handler.script = [](const ExchangePtr& exchange) { answer_text(*exchange, "next"); };
  send(h2::get(3));
  EXPECT_EQ(on(3).body, "next") << "other streams go on";
}

TEST_F(H2Requests, ContentShorterThanStatedIsAReset) {
  handler.script = [](const ExchangePtr& exchange) {
    AnswerHead head;
    head.length = 10;
    exchange->answer(head, body_of("short"));
  };
  open();
  send(h2::get(1));
  EXPECT_FALSE(on(1).ended);
  EXPECT_EQ(on(1).reset, h2::kInternalError);
}

TEST_F(H2Requests, CutResetsTheStreamAlone) {
  keep_exchanges();
  open();
  send(h2::get(1) + h2::get(3));
  kept[0]->cut();
  run();
  EXPECT_EQ(on(1).reset, h2::kInternalError);
  EXPECT_FALSE(kept[0]->gone());
  answer_text(*kept[1], "still here");
  run();
  EXPECT_EQ(on(3).body, "still here");
}

TEST_F(H2Requests, AClientThatResetsHasLeft) {
  keep_exchanges();
  open();
  send(h2::get(1));
  struct Told final : Waiter {
    int times = 0;
    void woken() override { ++times; }
  } told;
  kept[0]->on_gone(&told);
  send(h2::rst_stream(1));
  EXPECT_EQ(told.times, 1);
  EXPECT_TRUE(kept[0]->gone());
  EXPECT_FALSE(handler.tallies(1)[0].completed);
  answer_text(*kept[0], "too late");
  run();
  EXPECT_EQ(on(1).status, 0);
}

TEST_F(H2Requests, ALargeBodyFollowsTheCreditOfTheClient) {
  const std::string large(300'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 1000}});
  send(h2::get(1));
  EXPECT_EQ(on(1).body.size(), 1000U);
  send(h2::window_update(1, 5000));
  EXPECT_EQ(on(1).body.size(), 6000U);
  send(h2::window_update(1, 1'000'000));
  EXPECT_EQ(on(1).body.size(), 65535U) << "the window of the connection";
  send(h2::window_update(0, 1'000'000));
  EXPECT_EQ(on(1).body, large);
  EXPECT_TRUE(on(1).ended);
}

TEST_F(H2Requests, ABodyThatTheClientDoesNotReadIsNotPiledUp) {
  const std::string large(50'000'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 0x7fffffff}});
  send(h2::window_update(0, 0x7fff0000 - 65535));
  reads = false;
  send(h2::get(1));
  EXPECT_EQ(handler.finished_so_far(), 0U);
  reads = true;
  run();
  EXPECT_EQ(on(1).body.size(), large.size());
}

TEST_F(H2Requests, ContentOfARequestIsCreditedAsItIsConsumed) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/up", {}, "POST"), false));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_TRUE(kept[0]->has_body());
  EXPECT_FALSE(kept[0]->body().length());
  std::string_view view;
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  const std::string piece(16384, 'u');
  for (int i = 0; i < 4; ++i) send(h2::data(1, piece, false));
  EXPECT_EQ(on(1).credit, 0U) << "nobody has consumed it";
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  EXPECT_EQ(view.size(), 65536U);
  run();
  EXPECT_EQ(on(1).credit, 0U) << "the view is still in use";
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  run();
  EXPECT_EQ(on(1).credit, 65536U);
  send(h2::data(1, "end", true));
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  EXPECT_EQ(view, "end");
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::End);
  answer_text(*kept[0], "thanks");
  run();
  EXPECT_EQ(on(1).body, "thanks");
  EXPECT_EQ(handler.tallies(1)[0].bytes_in, 65539U);
}

TEST_F(H2Requests, UploadsThatAreNotReadKeepNoOtherFromItsContent) {
  keep_exchanges();
  open();
  const std::size_t stalled = handler.server.streams - 1;
  std::uint32_t id = 1;
  for (; kept.size() < stalled; id += 2) {
    upload(id);
    ASSERT_FALSE(goaway()) << "after " << kept.size();
  }
  send(h2::headers(id, h2::request("/up", {}, "POST"), false));
  ASSERT_EQ(kept.size(), stalled + 1);
  const std::string piece(16384, 'u');
  std::size_t got = 0;
  for (int i = 0; i < 32; ++i) {
    send(h2::data(id, piece, i == 31));
    got += read_content(*kept.back());
  }
  EXPECT_EQ(got, 32 * piece.size());
  answer_text(*kept.back(), "taken");
  run();
  EXPECT_EQ(on(id).body, "taken");
  EXPECT_FALSE(goaway());
  EXPECT_EQ(on(1).credit, 0U) << "its content was not read";
  EXPECT_EQ(listener->limits->content.held(), (stalled - 1) * 65536);
  for (std::size_t i = 0; i < stalled; ++i) EXPECT_EQ(read_content(*kept[i]), 65536U);
  EXPECT_EQ(on(1).credit, 65536U);
  EXPECT_EQ(listener->limits->content.held(), 0U);
}

TEST_F(H2Requests, ContentThatNobodyReadsIsGivenUpWithItsStream) {
  keep_exchanges();
  open();
  for (const std::uint32_t id : {1U, 3U, 5U, 7U}) upload(id);
  auto& content = listener->limits->content;
  EXPECT_EQ(content.held(), 3 * 65536U) << "a part is the connection's own";
  send(h2::rst_stream(7));
  EXPECT_EQ(content.held(), 2 * 65536U);
  answer_text(*kept[2], "not read");
  run();
  EXPECT_EQ(content.held(), 65536U);
  listener->connections.front().abort();
  EXPECT_EQ(content.held(), 0U);
  EXPECT_FALSE(goaway());
}

TEST_F(H2Requests, WhereAllThatIsSharedIsHeldTheWindowOfTheConnectionBoundsIt) {
  keep_exchanges();
  open();
  ASSERT_TRUE(listener->limits->content.take(WaitingContent::kMost));
  for (std::uint32_t id = 1; id <= 7; id += 2) upload(id);
  EXPECT_FALSE(goaway());
  EXPECT_EQ(kept.size(), 4U);
  send(h2::headers(9, h2::request("/up", {}, "POST"), false) + h2::data(9, "one more", false));
  EXPECT_EQ(goaway(), h2::kFlowControlError) << "the window of the connection bounds what it holds";
  listener->connections.front().abort();
  listener->limits->content.give_back(WaitingContent::kMost);
}

TEST_F(H2Requests, ContentGoesOnWhileTheAnswerIsSent) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/echo", {}, "POST"), false) + h2::data(1, "one", false));
  ASSERT_EQ(kept.size(), 1U);
  const Ref<http::Body> body(new http::Body);
  kept[0]->answer({}, http::BodyCursor(body));
  run();
  EXPECT_EQ(on(1).status, 200);
  std::string_view view;
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data) << "it came before the answer";
  EXPECT_EQ(view, "one");
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  const std::string piece(16384, 'u');
  for (int turn = 0; turn < 8; ++turn) {
    send(h2::data(1, piece, false));
    ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data) << turn;
    EXPECT_EQ(view.size(), piece.size());
    body->append(slice_of("echo "));
    ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
    run();
  }
  EXPECT_GE(on(1).credit, 65536U) << "what is read is credited";
  send(h2::data(1, "end", true));
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  EXPECT_EQ(view, "end");
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::End);
  body->finish();
  run();
  EXPECT_EQ(on(1).body, "echo echo echo echo echo echo echo echo ");
  EXPECT_TRUE(on(1).ended);
  EXPECT_FALSE(on(1).reset);
}

TEST_F(H2Requests, AnAnswerWhoseRequestIsCutShortIsReset) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/echo", {}, "POST"), false) + h2::data(1, "one", false));
  ASSERT_EQ(kept.size(), 1U);
  const Ref<http::Body> body(new http::Body);
  kept[0]->answer({}, http::BodyCursor(body));
  std::string_view view;
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  run();
  pass(std::chrono::seconds{31});
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Broken);
  EXPECT_TRUE(kept[0]->gone());
  EXPECT_TRUE(on(1).reset);
  EXPECT_FALSE(on(1).ended);
}

TEST_F(H2Requests, MoreContentThanTheWindowIsAnError) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/up", {}, "POST"), false));
  const std::string piece(16384, 'u');
  for (int i = 0; i < 5; ++i) send(h2::data(1, piece, false));
  EXPECT_TRUE(on(1).reset == h2::kFlowControlError || goaway() == h2::kFlowControlError);
}

TEST_F(H2Requests, TrailersOfARequestFollowItsContent) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/up", {}, "POST"), false) + h2::data(1, "abc", false) +
       h2::headers(1, {{"x-sum", "3"}, {"content-length", "9"}}, true));
  std::string_view view;
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  EXPECT_EQ(view, "abc");
  ASSERT_EQ(kept[0]->body().pull(view), net::BodySource::State::End);
  EXPECT_EQ(kept[0]->body().trailers().view().value("x-sum"), "3");
  EXPECT_FALSE(kept[0]->body().trailers().view().has(http::FieldId::ContentLength));
  answer_text(*kept[0], "ok");
  run();
}

TEST_F(H2Requests, AnAnswerBeforeTheContentEndsTheStream) {
  open();
  send(h2::headers(1, h2::request("/up", {}, "POST"), false));
  EXPECT_EQ(on(1).status, 200);
  EXPECT_TRUE(on(1).ended);
  EXPECT_EQ(on(1).reset, h2::kNoError);
  send(h2::data(1, "still sending", false) + h2::get(3));
  EXPECT_EQ(on(3).status, 200);
  EXPECT_FALSE(goaway());
}

TEST_F(H2Requests, ExpectedContinueIsSentOnTheFirstPull) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/up", {{"expect", "100-continue"}}, "POST"), false));
  EXPECT_TRUE(on(1).interim.empty());
  EXPECT_TRUE(kept[0]->body().awaits_continue());
  std::string_view view;
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  run();
  ASSERT_EQ(on(1).interim.size(), 1U);
  EXPECT_EQ(on(1).interim[0].status, 100);
  send(h2::data(1, "x", true));
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Data);
  answer_text(*kept[0], "ok");
  run();
  EXPECT_EQ(on(1).status, 200);
}

TEST_F(H2Requests, LimitsAreThoseOfHttp1) {
  handler.server.request_limits = {64, 400, 6};
  handler.server.request_body = 10;
  open();
  send(h2::get(1, "/" + std::string(64, 'p')));
  EXPECT_EQ(on(1).status, 414);
  send(h2::get(3, "/", {{"x", std::string(500, 'x')}}));
  EXPECT_EQ(on(3).status, 431);
  h2::Lines many;
  for (int i = 0; i < 7; ++i) many.emplace_back("x", "y");
  send(h2::get(5, "/", many));
  EXPECT_EQ(on(5).status, 431);
  send(h2::headers(7, h2::request("/", {{"content-length", "11"}}, "POST"), false));
  EXPECT_EQ(on(7).status, 413);
  EXPECT_EQ(on(7).reset, h2::kNoError);
  send(h2::get(9, "/", {{"expect", "miracles"}}));
  EXPECT_EQ(on(9).status, 417);
  EXPECT_EQ(handler.started, 0);
  EXPECT_THAT(handler.refusals(5), ElementsAre(Pair(Refusal::TargetTooLong, 414), Pair(Refusal::HeaderTooLarge, 431),
                                               Pair(Refusal::HeaderTooLarge, 431), Pair(Refusal::BodyTooLarge, 413),
                                               Pair(Refusal::BadRequest, 417)));
  EXPECT_EQ(on(1).get("x-cache"), "ERROR");
  EXPECT_THAT(on(1).body, HasSubstr("server.limits.request_target"));
}

TEST_F(H2Requests, ContentOverTheLimitIsToldToTheHandler) {
  handler.server.request_body = 10;
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false) + h2::data(1, "0123456789x", false));
  std::string_view view;
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::TooLarge);
  answer_text(*kept[0], "no", 413);
  run();
  EXPECT_EQ(on(1).status, 413);
  EXPECT_EQ(on(1).reset, h2::kNoError);
}

TEST_F(H2Requests, UrgentAnswersAreSentFirst) {
  const std::string large(40'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open();
  send(h2::get(1, "/late", {{"priority", "u=6"}}) + h2::get(3, "/soon", {{"priority", "u=1"}}));
  EXPECT_EQ(on(3).body.size(), 40'000U) << "all of the urgent one";
  EXPECT_EQ(on(1).body.size(), 25'535U) << "and what the window leaves for the other";
}

TEST_F(H2Requests, IncrementalAnswersTakeTurns) {
  const std::string large(60'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open();
  send(h2::get(1, "/", {{"priority", "i"}}) + h2::get(3, "/", {{"priority", "i"}}));
  EXPECT_GE(on(1).body.size(), 30'000U);
  EXPECT_GE(on(3).body.size(), 30'000U);
}

TEST_F(H2Requests, APriorityUpdateChangesTheOrder) {
  const std::string large(60'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 0}});
  send(h2::get(1, "/") + h2::get(3, "/"));
  send(h2::frame(h2::kPriorityUpdate, 0, 0, h2::number(3) + "u=0"));
  send(h2::settings({{4, 1'000'000}}));
  EXPECT_EQ(on(3).body.size(), 60'000U);
  EXPECT_LT(on(1).body.size(), 60'000U);
}

}  // namespace
}  // namespace forebay::server::test
