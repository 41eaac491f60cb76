#include "web/connection.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace turnout::web {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::uint32_t kMaxHeaderBytes = 16 * 1024;

constexpr const char* kServerName = "Turnout";

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Connection::Connection(ConnectionOwner& owner, boost::asio::ip::tcp::socket socket)
    : owner_(owner), stream_(std::move(socket)) {
  beast::error_code ignored;
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

void Connection::close_if_idle() {
  if (idle_) {
    end();
  }
}

void Connection::read() {
  idle_ = buffer_.size() == 0;
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(kMaxHeaderBytes);
  parser_->body_limit(kMaxBodyBytes);
  stream_.expires_after(owner_.options().read_timeout);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](beast::error_code error, std::size_t) {
                            self->header_read(error);
                          });
}

void Connection::header_read(beast::error_code error) {
  if (ended_) {
    return;
  }
  idle_ = false;
  if (error) {
    bad_request(error);
    return;
  }
  route_ = "other";
  began_ = std::chrono::steady_clock::now();
  if (auto refused = refuse()) {
    answer(std::move(*refused), true);
    return;
  }
  if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    go_on_ = {http::status::continue_, 11};
    http::async_write(stream_, go_on_,
                      [self = shared_from_this()](beast::error_code failed, std::size_t) {
                        if (failed) {
                          self->end();
                        } else {
                          self->read_body();
                        }
                      });
    return;
  }
  read_body();
}

void Connection::read_body() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](beast::error_code error, std::size_t) {
                     self->body_read(error);
                   });
}

void Connection::body_read(beast::error_code error) {
  if (ended_) {
    return;
  }
  if (error) {
    bad_request(error);
    return;
  }
  handle();
}

std::optional<Response> Connection::refuse() const {
  const auto& request = parser_->get();
  const std::string_view host = view(request[http::field::host]);
  if (!owner_.is_own_name(host)) {
    return error_response(403, "the request is for another host than this machine", "Host",
                          "use http://127.0.0.1 or http://localhost");
  }
  const std::string_view origin = view(request[http::field::origin]);
  const bool changes = request.method() != http::verb::get && request.method() != http::verb::head;
  if (changes && !origin.empty() && origin != "http://" + std::string(host) &&
      origin != "https://" + std::string(host)) {
    return error_response(403, "a page of another site may not change anything here", "Origin");
  }
  return std::nullopt;
}

void Connection::handle() {
  began_ = std::chrono::steady_clock::now();
  auto& message = parser_->get();
  Request request;
  request.method = std::string(view(message.method_string()));
  if (!parse_target(view(message.target()), request)) {
    answer(error_response(400, "the address is malformed"), false);
    return;
  }
  request.body = std::move(message.body());
  route_ = Api::route_of(request);
  const Api& api = owner_.api();
  if (api.is_quick(request)) {
    answer(api.answer_quick(request), false);
    return;
  }
  stream_.expires_never();  // the database's own time-outs bound what follows
  const auto self = shared_from_this();
  const bool taken =
      owner_.workers().submit([&api, request = std::move(request)](
                                  store::Session& session) { return api.answer(request, session); },
                              [self](Response response) {
                                boost::asio::post(self->stream_.get_executor(),
                                                  [self, response = std::move(response)]() mutable {
                                                    self->answer(std::move(response), false);
                                                  });
                              });
  if (!taken) {
    answer(error_response(503, "too many requests are waiting", "", "try again in a second"),
           false);
  }
}

void Connection::bad_request(beast::error_code error) {
  if (error == http::error::body_limit) {
    answer(error_response(413, "the body is longer than 32 MiB", "body",
                          "send it in several requests"),
           true);
  } else if (error == http::error::header_limit) {
    answer(error_response(431, "the header is longer than 16 KiB"), true);
  } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
    answer(error_response(400, "this is no HTTP request: " + error.message()), true);
  } else {
    end();  // gone, or too slow
  }
}

void Connection::answer(Response response, bool close) {
  if (ended_) {
    return;
  }
  owner_.meter().answered(route_, response.status, std::chrono::steady_clock::now() - began_);
  const bool keep = !close && !owner_.stopping() && parser_->is_done() && parser_->keep_alive();
  response_ = {static_cast<http::status>(response.status), 11};
  response_.set(http::field::server, kServerName);
  response_.set(http::field::content_type, response.content_type);
  response_.set("X-Content-Type-Options", "nosniff");
  response_.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : response.headers) {
    response_.set(name, value);
  }
  response_.body() = std::move(response.body);
  response_.keep_alive(keep);
  response_.prepare_payload();
  stream_.expires_after(owner_.options().write_timeout);
  http::async_write(
      stream_, response_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->written(error); });
}

void Connection::written(beast::error_code error) {
  response_.body().clear();
  response_.body().shrink_to_fit();
  if (error || !response_.keep_alive() || owner_.stopping()) {
    end();
    return;
  }
  if (!ended_) {
    read();
  }
}

void Connection::end() {
  if (ended_) {
    return;
  }
  ended_ = true;
  beast::error_code ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
  owner_.ended(*this);
}

}  // namespace turnout::web
