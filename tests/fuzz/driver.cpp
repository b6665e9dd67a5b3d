// Runs a fuzz target without libFuzzer: all seeds, then so many mutations of them, the same ones every time.
//
//     fuzz_NAME SEEDS_DIRECTORY DICTIONARY MUTATIONS
//     fuzz_NAME FILE                                   one input, e.g. one that libFuzzer has found

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::size_t kMaxSize = 4096;

// What is being tried; for the one message that matters.
std::string current;         // NOLINT: read by the death callback
std::string current_origin;  // NOLINT

void print_current() {
  std::fprintf(stderr, "\n%s, %zu bytes:\n", current_origin.c_str(), current.size());
  for (const char c : current) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      std::fputs("\\n\n", stderr);
    } else if (byte < 0x20 || byte > 0x7E || c == '\\') {
      std::fprintf(stderr, "\\x%02x", byte);
    } else {
      std::fputc(c, stderr);
    }
  }
  std::fputs("\n", stderr);
}

void on_abort(int) {
  print_current();
  std::_Exit(1);
}

// SplitMix64: a fixed seed gives the same numbers on every machine.
class Random {
 public:
  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t n) noexcept { return n == 0 ? 0 : static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_ = 20240101;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> read_seeds(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) seeds.push_back(read_file(path));
  return seeds;
}

// One token of a dictionary in libFuzzer's form: `name="text"` with \" \\ \xAB as escapes.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
    } else if (text[i + 1] == 'x' && i + 3 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16)));
      i += 3;
    } else {
      out.push_back(text[++i]);
    }
  }
  return out;
}

std::vector<std::string> read_dictionary(const std::filesystem::path& path) {
  std::vector<std::string> tokens;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find('"');
    const auto last = line.rfind('"');
    if (line.empty() || line[0] == '#' || first == std::string::npos || last <= first) continue;
    tokens.push_back(unescape(std::string_view(line).substr(first + 1, last - first - 1)));
  }
  return tokens;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& seeds, const std::vector<std::string>& tokens)
      : seeds_(seeds), tokens_(tokens) {}

  std::string next() {
    std::string text = seeds_[random_.below(seeds_.size())];
    const std::size_t changes = 1 + random_.below(4);
    for (std::size_t i = 0; i < changes; ++i) change(text);
    if (text.size() > kMaxSize) text.resize(kMaxSize);
    return text;
  }

 private:
  void change(std::string& text) {
    const std::size_t at = random_.below(text.size() + 1);
    const std::size_t length = random_.below(std::min<std::size_t>(text.size() - at, 32) + 1);
    switch (random_.below(10)) {
      case 0:  // one bit
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << random_.below(8));
        break;
      case 1:  // one byte
        if (at < text.size()) text[at] = any_byte();
        break;
      case 2: text.insert(at, 1, any_byte()); break;
      case 3: text.erase(at, length); break;
      case 4: {  // a piece of it again
        const std::string piece = text.substr(at, length);
        text.insert(random_.below(text.size() + 1), piece);
        break;
      }
      case 5:
      case 6:
        if (!tokens_.empty()) text.insert(at, token());
        break;
      case 7:
        if (!tokens_.empty()) text.replace(at, length, token());
        break;
      case 8: {  // the rest of another seed
        const std::string& other = seeds_[random_.below(seeds_.size())];
        text.resize(at);
        text.append(other.substr(random_.below(other.size() + 1)));
        break;
      }
      default: text.resize(at); break;
    }
  }
  char any_byte() {
    using std::string_view_literals::operator""sv;
    constexpr std::string_view kTelling = "\r\n\t \0\"\\,;:=%/?#*-.09afzAZ\x7f\x80\xff"sv;
    return random_.below(2) == 0 ? kTelling[random_.below(kTelling.size())] : static_cast<char>(random_.below(256));
  }
  const std::string& token() { return tokens_[random_.below(tokens_.size())]; }

  const std::vector<std::string>& seeds_;
  const std::vector<std::string>& tokens_;
  Random random_;
};

void try_one(std::string input, std::string origin) {
  current = std::move(input);
  current_origin = std::move(origin);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(print_current);
  const std::string name = std::filesystem::path(argv[0]).filename();
  if (argc == 2) {
    try_one(read_file(argv[1]), argv[1]);
    std::printf("%s: %s is fine\n", name.c_str(), argv[1]);
    return 0;
  }
  if (argc != 4 || !std::filesystem::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s SEEDS_DIRECTORY DICTIONARY MUTATIONS | FILE\n", name.c_str());
    return 2;
  }
  const auto seeds = read_seeds(argv[1]);
  const auto tokens = read_dictionary(argv[2]);
  const unsigned long mutations = std::strtoul(argv[3], nullptr, 10);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds in %s\n", name.c_str(), argv[1]);
    return 2;
  }
  for (std::size_t i = 0; i < seeds.size(); ++i) try_one(seeds[i], "seed " + std::to_string(i));
  Mutator mutator(seeds, tokens);
  for (unsigned long i = 0; i < mutations; ++i) try_one(mutator.next(), "mutation " + std::to_string(i));
  std::printf("%s: %zu seeds, %zu tokens, %lu mutations: all invariants held\n", name.c_str(), seeds.size(),
              tokens.size(), mutations);
  return 0;
}
