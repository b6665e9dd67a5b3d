#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

// Owners of what OpenSSL hands out.

namespace forebay::net::openssl {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
inline void free_chain(STACK_OF(X509) * chain) noexcept { sk_X509_pop_free(chain, X509_free); }
inline void free_bio(BIO* bio) noexcept { BIO_free(bio); }

using BioPtr = std::unique_ptr<BIO, Freed<&free_bio>>;
using X509Ptr = std::unique_ptr<X509, Freed<&X509_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Freed<&free_chain>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<&SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<&SSL_SESSION_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Freed<&SSL_CTX_free>>;
using OcspPtr = std::unique_ptr<OCSP_RESPONSE, Freed<&OCSP_RESPONSE_free>>;
using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, Freed<&OCSP_BASICRESP_free>>;

inline BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// What OpenSSL says of its last error, in words; and forgets all.
inline std::string_view take_error() noexcept {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* words = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return words != nullptr ? words : "unknown error";
}

}  // namespace forebay::net::openssl
