// CSV files packed with gzip: the same numbers, and what can be wrong with them.
#include <thread>

#include "tests/gzip.hpp"
#include "tests/unit/data_files.hpp"

using namespace urja;
using namespace urja::tests::files;
using Catch::Matchers::Contains;
using urja::tests::packed;

namespace {

Csv read(const std::string& file, std::vector<FileProblem>& problems) {
  const std::vector<CsvColumn> wanted{{"v"}};
  return read_csv(file, wanted, problems);
}
std::string trouble(const std::string& file) {
  std::vector<FileProblem> problems;
  read(file, problems);
  return text_of(problems);
}

// Digits that do not shrink to nothing.
std::string table(int rows) {
  std::string text = "x,v\n";
  std::mt19937 random(3);
  for (int i = 0; i < rows; ++i) text += fmt::format("{},{}\n", random(), i);
  return text;
}

}  // namespace

TEST_CASE("a packed CSV reads as the plain one") {
  const Folder folder;
  const int rows = 300'000;  // several pieces
  const std::string text = table(rows);
  std::vector<FileProblem> problems;
  const Csv plain = read(folder("a.csv", text), problems), gz = read(folder("a.csv.gz", packed(text)), problems);
  INFO(text_of(problems));
  REQUIRE(problems.empty());
  CHECK(plain.rows == rows);
  CHECK(gz.columns == plain.columns);
  // Whatever its name, and joined of several, as logs are.
  const std::size_t half = text.find('\n', text.size() / 2) + 1;
  CHECK(read(folder("b", packed(text.substr(0, half)) + packed(text.substr(half)) + std::string(512, '\0')), problems).columns ==
        plain.columns);
  CHECK(problems.empty());
  // A pipe gives little at a time.
  const std::string pipe = folder.path("pipe"), bytes = packed(table(100));
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ofstream out(pipe, std::ios::binary);
    for (const char c : bytes) out << c << std::flush;
  });
  CHECK(read(pipe, problems).rows == 100);
  writer.join();
  CHECK(problems.empty());
}

TEST_CASE("a packed CSV that is broken says so") {
  const Folder folder;
  const std::string good = packed(table(20'000));
  CHECK_THAT(trouble(folder("cut.csv.gz", good.substr(0, good.size() / 2))), Contains("cut.csv.gz: the packed file is cut off"));
  CHECK_THAT(trouble(folder("tail.csv.gz", good.substr(0, good.size() - 4))), Contains("the packed file is cut off"));
  CHECK_THAT(trouble(folder("head.csv.gz", good.substr(0, 2))), Contains("the packed file is cut off"));
  std::string bad = good;
  bad[good.size() / 2] = static_cast<char>(bad[good.size() / 2] ^ 0x55);
  CHECK_THAT(trouble(folder("bad.csv.gz", bad)), Contains("the packed file is damaged"));
  CHECK_THAT(trouble(folder("no.csv.gz", "\x1f\x8b\x08xyz")), Contains("the packed file is"));
  CHECK_THAT(trouble(folder("empty.csv.gz", packed(""))), Contains("the file is empty"));
  // 100 MB of the same row in 100 kB.
  std::string many = "v\n" + std::string(100'000'000, '0').replace(0, 1, "1");
  for (std::size_t k = 1; k < many.size(); k += 2) many[k] = '\n';
  CHECK_THAT(trouble(folder("bomb.csv.gz", packed(many))), Contains("unpacks to more than 300 times its size"));
}
