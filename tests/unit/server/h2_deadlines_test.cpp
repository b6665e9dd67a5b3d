// Time over HTTP/2: idle, slow and stalled clients; drain and abort.
#include "unit/server/h2_edge.hpp"

namespace forebay::server::test {
namespace {

using H2Deadlines = H2Test;

TEST_F(H2Deadlines, AnIdleConnectionEndsWithGoaway) {
  open();
  send(h2::get(1));
  pass(59s);
  EXPECT_FALSE(goaway());
  send(h2::get(3));
  pass(59s);
  EXPECT_FALSE(goaway());
  pass(2s);
  EXPECT_EQ(goaway(), h2::kNoError);
  EXPECT_EQ(incoming.goaways.back().first, 3U);
  EXPECT_TRUE(closed);
  EXPECT_EQ(listener->numbers->rejected_timeout, 0U);
}

TEST_F(H2Deadlines, PingsDoNotKeepAConnectionOpen) {
  open();
  for (int i = 0; i < 13; ++i) {
    pass(5s);
    if (!closed) send(h2::ping());
  }
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AConnectionThatSendsNothingIsClosed) {
  open_silent();
  pass(61s);
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, ThePrefaceMustComeInTime) {
  open_silent();
  send(h2::kPreface);
  pass(9s);
  EXPECT_FALSE(closed);
  pass(2s);
  EXPECT_TRUE(closed);
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
}

TEST_F(H2Deadlines, AFieldSectionMustComeInTimeHoweverItTrickles) {
  open();
  send(h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::hpack(h2::request())));
  for (int i = 0; i < 5; ++i) {
    pass(1900ms);
    EXPECT_FALSE(goaway());
    send(h2::frame(h2::kContinuation, 0, 1, h2::hpack({{"a", "b"}})));
  }
  pass(600ms);
  EXPECT_EQ(goaway(), h2::kEnhanceYourCalm);
  EXPECT_TRUE(closed);
  EXPECT_EQ(handler.refusals(1)[0], std::make_pair(Refusal::ClientTimeout, 408));
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2Deadlines, AFieldSectionThatIsLateIsRejectedOnceThoughTheClientDoesNotRead) {
  handler.server.min_rate = 0;
  const std::string large(20'000'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 0x7fffffff}});
  send(h2::window_update(0, 0x7fff0000 - 65535));
  reads = false;
  send(h2::get(1));
  send(h2::frame(h2::kHeaders, h2::kEndStream, 3, h2::hpack(h2::request())));
  pass(11s);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(spins());
    pass(1s);
  }
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
  EXPECT_EQ(handler.refusals(1).size(), 1U);
  ASSERT_EQ(listener->connections.size(), 1U);
  pass(1min);
  EXPECT_TRUE(listener->connections.empty()) << "the time to write goes on";
}

TEST_F(H2Deadlines, AStalledStreamThatWasCutIsNotWaitedFor) {
  handler.server.timeouts.write = 30s;
  const std::string large(20'000'000, 'x');
  const auto body = Ref<http::Body>(new http::Body);
  body->append(slice_of("event"));
  handler.script = [&](const ExchangePtr& exchange) {
    if (exchange->request().target == "/broken") return exchange->answer(AnswerHead{}, http::BodyCursor(body));
    answer_text(*exchange, large);
    if (exchange->request().target == "/cut") kept.push_back(exchange);
  };
  open({{4, 0}});
  send(h2::get(1, "/cut") + h2::get(3, "/broken"));
  // The connection is blocked by another stream, later than those are: no reset goes out.
  pass(10s);
  reads = false;
  send(h2::window_update(0, 0x7fff0000 - 65535) + h2::get(5) + h2::window_update(5, 0x7ffffff0));
  kept[0]->cut();
  body->break_off();
  run();
  ASSERT_EQ(on(1).reset, std::nullopt);
  for (int i = 0; i < 18; ++i) {
    pass(1s);
    ASSERT_EQ(listener->connections.size(), 1U);
    ASSERT_FALSE(spins()) << i;
  }
}

TEST_F(H2Deadlines, ContentThatStopsIsAnswered408) {
  handler.server.min_rate = 0;
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false) + h2::headers(3, h2::request("/", {}, "POST"), false));
  std::string_view view;
  EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
  pass(29s);
  EXPECT_EQ(on(1).status, 0);
  pass(2s);
  EXPECT_EQ(on(1).status, 408);
  EXPECT_EQ(on(1).reset, h2::kNoError);
  EXPECT_EQ(on(1).get("x-request-id"), "id-of-content");
  EXPECT_TRUE(kept[0]->gone());
  EXPECT_EQ(on(3).status, 0) << "its handler does not wait for content";
  answer_text(*kept[1], "ok");
  run();
  EXPECT_EQ(on(3).status, 200);
}

TEST_F(H2Deadlines, ContentBelowTheMinimumRateIsAnswered408) {
  keep_exchanges();
  open();
  send(h2::headers(1, h2::request("/", {}, "POST"), false));
  std::string_view view;
  int seconds = 0;
  for (; seconds < 100 && on(1).status == 0; ++seconds) {
    while (kept[0]->body().pull(view) == net::BodySource::State::Data) {
    }
    pass(1s);
    if (on(1).status == 0) send(h2::data(1, "x", false));
  }
  EXPECT_EQ(on(1).status, 408);
  EXPECT_GE(seconds, 19);
  EXPECT_LE(seconds, 30);
}

TEST_F(H2Deadlines, AStreamWithoutCreditIsResetAndOthersGoOn) {
  handler.server.min_rate = 0;
  const std::string large(100'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 10}});
  send(h2::get(1));
  EXPECT_EQ(on(1).body.size(), 10U);
  pass(59s);
  EXPECT_FALSE(on(1).reset);
  pass(2s);
  EXPECT_EQ(on(1).reset, h2::kCancel);
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
  EXPECT_FALSE(handler.tallies(1)[0].completed);
  handler.script = [](const ExchangePtr& exchange) { answer_text(*exchange, "tiny"); };
  send(h2::get(3));
  EXPECT_EQ(on(3).body, "tiny");
}

TEST_F(H2Deadlines, ATrickleOfCreditIsBelowTheMinimumRate) {
  const std::string large(100'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 1}});
  send(h2::get(1));
  int seconds = 0;
  for (; seconds < 200 && !on(1).reset; ++seconds) {
    pass(1s);
    if (!on(1).reset) send(h2::window_update(1, 1));
  }
  EXPECT_EQ(on(1).reset, h2::kCancel);
  EXPECT_LE(seconds, 60);
}

TEST_F(H2Deadlines, AnExhaustedConnectionWindowIsAStall) {
  handler.server.min_rate = 0;
  const std::string large(100'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 1'000'000}});
  send(h2::get(1));
  EXPECT_EQ(on(1).body.size(), 65535U);
  pass(59s);
  EXPECT_FALSE(closed);
  pass(2s);
  EXPECT_TRUE(closed);
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
}

TEST_F(H2Deadlines, AClientThatGivesCreditToTheConnectionIsNotStalled) {
  handler.server.min_rate = 0;
  const std::string large(500'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 1'000'000}});
  send(h2::get(1));
  for (std::size_t sent = 65535; sent + 20'000 < large.size(); sent += 20'000) {
    EXPECT_EQ(on(1).body.size(), sent);
    pass(20s);
    ASSERT_FALSE(closed);
    send(h2::window_update(0, 20'000));
  }
  send(h2::window_update(0, 20'000));
  EXPECT_EQ(on(1).body, large);
  EXPECT_EQ(listener->numbers->rejected_timeout, 0U);
}

TEST_F(H2Deadlines, CreditThatSettingsTakeAwayIsAStall) {
  handler.server.min_rate = 0;
  const std::string large(100'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 1'000'000}});
  send(h2::get(1));
  EXPECT_EQ(on(1).body.size(), 65535U);
  send(h2::settings({{4, 0}}) + h2::window_update(0, 1'000'000));
  pass(59s);
  EXPECT_FALSE(on(1).reset);
  pass(2s);
  EXPECT_EQ(on(1).reset, h2::kCancel);
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
}

TEST_F(H2Deadlines, AClientThatMayNotSendIsNotLate) {
  keep_exchanges();
  open();
  auto& others = listener->limits->content;
  ASSERT_TRUE(others.take(WaitingContent::kMost));
  // Four handlers that do not read fill the window of the connection, since others hold all that is shared.
  for (std::uint32_t id = 1; id <= 7; id += 2) upload(id, true);
  send(h2::headers(9, h2::request("/", {}, "POST"), false));
  std::string_view view;
  ASSERT_EQ(kept.size(), 5U);
  EXPECT_EQ(kept[4]->body().pull(view), net::BodySource::State::Wait);
  for (int i = 0; i < 5; ++i) pass(15s);
  EXPECT_EQ(on(9).status, 0);
  const auto before = incoming.credit;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(read_content(*kept[i]), 65536U);
  EXPECT_EQ(incoming.credit - before, 4 * 65536U);
  pass(31s);
  EXPECT_EQ(on(9).status, 408);
  others.give_back(WaitingContent::kMost);
}

TEST_F(H2Deadlines, AClientMaySendWithinASecondOfRoomThatOthersGiveBack) {
  keep_exchanges();
  open();
  auto& others = listener->limits->content;
  ASSERT_TRUE(others.take(WaitingContent::kMost));
  for (std::uint32_t id = 1; id <= 7; id += 2) upload(id);
  const auto before = incoming.credit;
  pass(5s);
  others.give_back(WaitingContent::kMost);
  EXPECT_EQ(incoming.credit, before);
  pass(1100ms);
  EXPECT_EQ(others.held(), 3 * 65536U) << "all but what a connection may hold by itself";
  EXPECT_GE(incoming.credit - before, 2 * 65536U) << "half of a window comes at a time";
}

TEST_F(H2Deadlines, AClientThatDoesNotReadIsClosed) {
  handler.server.min_rate = 0;
  const std::string large(20'000'000, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  open({{4, 0x7fffffff}});
  send(h2::window_update(0, 0x7fff0000 - 65535));
  reads = false;
  send(h2::get(1));
  pass(59s);
  EXPECT_EQ(listener->connections.size(), 1U);
  pass(2s);
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
}

TEST_F(H2Deadlines, WaitingForTheHandlerHasNoDeadlineHere) {
  keep_exchanges();
  open();
  send(h2::get(1));
  pass(1h);
  answer_text(*kept[0], "at last");
  run();
  EXPECT_EQ(on(1).body, "at last");
}

TEST_F(H2Deadlines, DrainLosesNoStream) {
  keep_exchanges();
  open();
  send(h2::get(1));
  listener->draining = true;
  listener->connections.front().drain();
  run();
  ASSERT_EQ(incoming.goaways.size(), 1U);
  EXPECT_EQ(incoming.goaways[0], std::make_pair(0x7fffffffU, std::uint32_t{h2::kNoError}));
  ASSERT_EQ(incoming.pings, 1U);
  // On its way before the client knew.
  send(h2::get(3));
  EXPECT_EQ(kept.size(), 2U);
  send(h2::ping(incoming.ping_data.back(), h2::kAck));
  ASSERT_EQ(incoming.goaways.size(), 2U);
  EXPECT_EQ(incoming.goaways[1], std::make_pair(3U, std::uint32_t{h2::kNoError}));
  send(h2::get(5));
  EXPECT_EQ(kept.size(), 2U) << "refused by the GOAWAY";
  for (const auto& exchange : kept) answer_text(*exchange, "whole");
  run();
  EXPECT_EQ(on(1).body, "whole");
  EXPECT_EQ(on(3).body, "whole");
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, DrainWaitsASecondForTheClient) {
  open();
  send(h2::get(1));
  listener->draining = true;
  listener->connections.front().drain();
  run();
  EXPECT_FALSE(closed);
  pass(1100ms);
  EXPECT_EQ(incoming.goaways.size(), 2U);
  EXPECT_TRUE(closed);
  pass(3s);
  EXPECT_TRUE(listener->connections.empty()) << "a client that stays is not waited for";
}

TEST_F(H2Deadlines, ContentOfARequestThatTheDrainRefusesIsIgnored) {
  keep_exchanges();
  open();
  send(h2::get(1));
  listener->draining = true;
  listener->connections.front().drain();
  run();
  pass(1100ms);
  ASSERT_EQ(incoming.goaways.size(), 2U);
  // The client has not heard of it yet.
  send(h2::headers(3, h2::request("/", {}, "POST"), false) + h2::data(3, "content", true));
  EXPECT_EQ(goaway(), h2::kNoError);
  answer_text(*kept[0], "whole");
  run();
  EXPECT_EQ(on(1).body, "whole");
  EXPECT_TRUE(on(1).ended);
}

TEST_F(H2Deadlines, AHandlerThatDrainsEndsTheConnection) {
  open();
  handler.drains = true;
  send(h2::get(1));
  EXPECT_EQ(on(1).status, 200);
  EXPECT_EQ(incoming.goaways.size(), 1U);
}

TEST_F(H2Deadlines, WhereClientsAreSentAwayANewConnectionHasItsFirstAnswer) {
  open();
  handler.away = true;
  pass(5s);
  EXPECT_EQ(incoming.goaways.size(), 0U) << "it has been told nothing, and its request may be on its way";
  send(h2::get(1));
  EXPECT_EQ(on(1).status, 200);
  ASSERT_EQ(incoming.goaways.size(), 1U);
  EXPECT_EQ(incoming.goaways[0], std::make_pair(0x7fffffffU, std::uint32_t{h2::kNoError}));
}

TEST_F(H2Deadlines, AConnectionThatBeginsDuringADrainIsToldOfTheEnd) {
  open_silent();
  listener->draining = true;
  listener->connections.front().drain();
  run();
  // The request is on its way with the preface.
  send(h2::kPreface + h2::settings() + h2::settings_ack() + h2::get(1));
  EXPECT_EQ(on(1).status, 200);
  ASSERT_EQ(incoming.goaways.size(), 1U);
  EXPECT_EQ(incoming.goaways[0], std::make_pair(0x7fffffffU, std::uint32_t{h2::kNoError}));
  ASSERT_EQ(incoming.pings, 1U);
  send(h2::get(3));
  EXPECT_EQ(on(3).status, 200);
  send(h2::ping(incoming.ping_data.back(), h2::kAck));
  ASSERT_EQ(incoming.goaways.size(), 2U);
  EXPECT_EQ(incoming.goaways[1], std::make_pair(3U, std::uint32_t{h2::kNoError}));
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AConnectionThatBeginsDuringADrainAndAsksNothingEnds) {
  open_silent();
  handler.drains = true;
  send(h2::kPreface + h2::settings());
  ASSERT_EQ(incoming.goaways.size(), 1U);
  pass(900ms);
  EXPECT_FALSE(closed);
  pass(200ms);
  ASSERT_EQ(incoming.goaways.size(), 2U);
  EXPECT_EQ(incoming.goaways[1], std::make_pair(0U, std::uint32_t{h2::kNoError}));
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AStreamThatBeginsDuringADrainIsAnsweredWhole) {
  keep_exchanges();
  open_silent();
  handler.drains = true;
  send(h2::kPreface + h2::settings() + h2::get(1));
  pass(5s);
  ASSERT_EQ(incoming.goaways.size(), 2U);
  EXPECT_FALSE(closed);
  answer_text(*kept[0], "whole");
  run();
  EXPECT_EQ(on(1).body, "whole");
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AbortEndsStreamsAtOnce) {
  keep_exchanges();
  open();
  send(h2::get(1));
  listener->connections.front().abort();
  run();
  EXPECT_TRUE(kept[0]->gone());
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_FALSE(handler.tallies(1)[0].completed);
}

TEST_F(H2Deadlines, AClientThatHasSentAllGetsItsAnswers) {
  keep_exchanges();
  open();
  send(h2::get(1) + h2::headers(3, h2::request("/", {}, "POST"), false));
  ::shutdown(client, SHUT_WR);
  run();
  EXPECT_TRUE(kept[0]->ended());
  EXPECT_EQ(on(3).status, 400) << "its content never comes";
  answer_text(*kept[0], "whole");
  run();
  EXPECT_EQ(on(1).body, "whole");
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AClientThatHasSentAllLeavesAnswersWithoutAnEnd) {
  std::vector<Ref<http::Body>> bodies;
  handler.script = [&](const ExchangePtr& exchange) {
    kept.push_back(exchange);
    if (exchange->request().target == "/later") return;
    if (exchange->request().target == "/events") exchange->end_is_leaving();
    bodies.emplace_back(new http::Body);
    exchange->answer(AnswerHead{}, http::BodyCursor(bodies.back()));
  };
  open();
  send(h2::get(1, "/events") + h2::get(3, "/page") + h2::get(5, "/later"));
  ::shutdown(client, SHUT_WR);
  run();
  EXPECT_TRUE(kept[0]->gone());
  EXPECT_EQ(on(1).reset, h2::kCancel);
  EXPECT_FALSE(handler.tallies(1)[0].completed);
  ASSERT_FALSE(kept[1]->gone());
  ASSERT_FALSE(kept[2]->gone());
  // Its answer begins when the end of the client's bytes has come already.
  kept[2]->end_is_leaving();
  kept[2]->answer(AnswerHead{}, http::BodyCursor(Ref<http::Body>(new http::Body)));
  run();
  EXPECT_TRUE(kept[2]->gone());
  bodies[1]->append(slice_of("whole"));
  bodies[1]->finish();
  run();
  EXPECT_EQ(on(3).body, "whole");
  EXPECT_TRUE(on(3).ended);
  EXPECT_TRUE(closed);
}

TEST_F(H2Deadlines, AnIdleConnectionStillServes) {
  open();
  for (std::uint32_t id = 1; id < 10; id += 2) {
    send(h2::get(id, "/" + std::to_string(id)));
    EXPECT_EQ(on(id).body, "/" + std::to_string(id));
    pass(10s);
  }
}

TEST_F(H2Deadlines, AConnectionWithoutAPlaceIsToldSo) {
  config::Listener config;
  listener = std::make_shared<WorkerListener>(worker, handler, std::make_shared<ListenerNumbers>(),
                                              std::make_unique<H2Protocol>());
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  client = ends[1];
  net::Stream stream(worker.io());
  ASSERT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
  listener->open.fetch_add(1);
  listener->protocol->open(listener, {std::move(stream), std::make_shared<const Peer>(), {}});
  run();
  EXPECT_EQ(goaway(), h2::kEnhanceYourCalm);
  EXPECT_TRUE(closed);
  EXPECT_EQ(listener->numbers->rejected_limit, 1U);
}

}  // namespace
}  // namespace forebay::server::test
