#include "tests/unit/data_files.hpp"

using namespace urja;
using namespace urja::tests::files;

TEST_CASE("a CSV as spreadsheets save it") {
  std::vector<FileProblem> problems;
  const std::vector<CsvColumn> wanted{{"load \"\"L1\"\" kW"}};
  const Csv csv = read_csv(csv_folder + "spreadsheet.csv", wanted, problems);
  INFO(text_of(problems));
  REQUIRE(problems.empty());
  REQUIRE(csv.rows == 7);
  const auto& v = csv.columns[0];
  CHECK(v[0] == 1.5);
  CHECK(v[1] == 2);
  CHECK(v[2] == 3);
  CHECK(v[3] == 4);
  CHECK(std::isnan(v[4]));
  CHECK(std::isnan(v[5]));
  CHECK(v[6] == 7);
}

TEST_CASE("CSV numbers are those of from_chars to the last bit") {
  const Folder folder;
  std::mt19937_64 random(7);
  std::string text = "a\tb\n";
  std::vector<double> expected;
  for (int i = 0; i < 20000; ++i) {
    const double size = std::pow(10.0, static_cast<double>(random() % 40) - 20);
    const double v = (static_cast<double>(random() >> 11) * 0x1p-53 - 0.5) * size;
    const std::string written = i % 4 == 0   ? fmt::format("{}", v)
                                : i % 4 == 1 ? fmt::format("{:.17g}", v)
                                             : fmt::format("{:.{}f}", v, i % 17);
    expected.push_back(std::strtod(written.c_str(), nullptr));
    text += "x\t" + written + "\n";
  }
  std::vector<FileProblem> problems;
  const std::vector<CsvColumn> wanted{{"b"}};
  const Csv csv = read_csv(folder("numbers.csv", text), wanted, problems);
  INFO(text_of(problems));
  REQUIRE(problems.empty());
  CHECK(csv.columns[0] == expected);
}

TEST_CASE("CSV lines of every length cross the reader's pieces") {
  const Folder folder;
  std::string text = "a,pad,b\r\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},{},{}\r\n", i, std::string(static_cast<std::size_t>(i % 1500), 'x'), -i);
  text.resize(text.size() - 2);  // no line end at the end
  std::vector<FileProblem> problems;
  const std::vector<CsvColumn> wanted{{"b"}, {"a"}, {"b"}};
  const Csv csv = read_csv(folder("pieces.csv", text), wanted, problems);
  INFO(text_of(problems));
  REQUIRE(problems.empty());
  REQUIRE(csv.rows == 3000);
  bool same = true;
  for (std::size_t i = 0; i < csv.rows; ++i)
    same = same && csv.columns[1][i] == static_cast<double>(i) && csv.columns[0][i] == -static_cast<double>(i) &&
           csv.columns[2][i] == csv.columns[0][i];
  CHECK(same);
}

TEST_CASE("what is wrong with a CSV is named with file, line, column and mend") {
  const Folder folder;
  const auto read = [&](const std::string& path, const std::string& column = "load") {
    std::vector<FileProblem> problems;
    const std::vector<CsvColumn> wanted{{column}};
    read_csv(path, wanted, problems);
    return text_of(problems);
  };
  const auto of = [&](const std::string& text) { return read(folder("bad.csv", text)); };

  CHECK(of("time,load\n1,2\n") == "");
  CHECK_THAT(of("time,laod\n1,2\n"), contains("bad.csv:1:1: there is no column 'load'; did you mean laod?"));
  CHECK_THAT(of("time,demand_of_all\n1,2\n"), contains("it has time or demand_of_all"));
  CHECK_THAT(of("1,2\n3,4\n"), contains("the first line must name the columns"));
  CHECK_THAT(of("load,load\n1,2\n"), contains("two columns are named 'load'"));
  CHECK_THAT(of("time,load\n1,2\n2,abc\n"), contains("bad.csv:3:3: 'abc' in column load is no number"));
  CHECK_THAT(of("time,load\n1,1.2.3\n"), contains("'1.2.3' in column load is no number"));
  CHECK_THAT(of("time,load\n1,inf\n"), contains("is no number; expected a finite number, or an empty cell"));
  CHECK_THAT(of("time;load\n1;1,5\n"), contains("write a decimal point"));
  CHECK_THAT(of("time,load\n1,2016-08-01 00:00\n"), contains("bad.csv:2:3: '2016-08-01 00:00' in column load is no number"));
  CHECK_THAT(of("time,load\n1,2\n2\n"), contains("bad.csv:3:2: the row has 1 cell, the first line has 2"));
  CHECK_THAT(of("load,time\n1,2,3\n"), contains("the row has 3 cells, the first line has 2"));
  CHECK_THAT(of("load,time,x\n1,2\n"), contains("the row has 2 cells, the first line has 3"));
  CHECK_THAT(of("load,time\n1,2,\n"), contains("the row has 3 cells"));
  CHECK(of("load,time\n1,\"2,3\"\n") == "");
  CHECK_THAT(of("time,load\n1,2\n\n3,4\n"), contains("bad.csv:3:1: a blank line stands between rows"));
  CHECK_THAT(of("time,load\n1,\"2\n3,4\n"), contains("bad.csv:2:3: the quote is not closed in its line"));
  CHECK_THAT(of("time,load\n1,\"2\"3\n"), contains("text follows a closing quote"));
  CHECK_THAT(of(""), contains("the file is empty"));
  CHECK_THAT(of("\n1\n"), contains("the first line is blank"));
  CHECK_THAT(of("time,load\n"), contains("the file has no rows"));
  CHECK_THAT(of(std::string("\x7f\x45\x4c\x46\0\0\0\1", 8) + "load\n1\n"), contains("the file is no text"));
  CHECK_THAT(of("PK\x03\x04xyz"), contains("spreadsheet"));
  CHECK_THAT(of("\xff\xfel"), contains("UTF-16"));
  CHECK_THAT(of("load\n1\n" + std::string(3 << 20, '7')), contains("bad.csv:3:1: the line is longer than 1 MiB"));
  CHECK_THAT(read(folder.path("bda.csv")), contains("there is no such file; did you mean bad.csv?"));
  CHECK_THAT(read(folder.path("nowhere/bad.csv")), contains("there is no folder"));
  CHECK_THAT(read(folder.path("")), contains("this is a folder, not a file"));

  std::string many = "load\n";
  for (int i = 0; i < 100; ++i) many += "x\n";
  const std::string all = of(many);
  CHECK(std::count(all.begin(), all.end(), '\n') == 21);
  CHECK_THAT(all, contains("too many problems"));
}

TEST_CASE("a year of minutes reads quickly", "[.bench]") {
  const Folder folder;
  std::string text = "c0";
  for (int c = 1; c < 20; ++c) text += fmt::format(",c{}", c);
  std::mt19937 random(1);
  for (int i = 0; i < 525600; ++i) {
    text += '\n';
    for (int c = 0; c < 20; ++c) text += fmt::format("{}{:.4f}", c ? "," : "", static_cast<double>(random() % 50000) * 1e-4);
  }
  const std::string path = folder("year.csv", text);
  DataFileSpec spec = spec_of(path, "Europe/Berlin", "2023-01-01 00:00", 60, "2022-12-31 23:00", "2023-12-31 23:00", 60);
  spec.stamps.clock = "standard";
  spec.columns.clear();
  for (int c = 0; c < 20; ++c) spec.columns.push_back({fmt::format("c{}", c), fmt::format("c{}", c), "kW", "W", {}, {}, ""});
  for (const double step : {60.0, 900.0}) {
    spec.step = step;
    const auto begin = std::chrono::steady_clock::now();
    const LoadedData loaded = load_data_file(spec);
    const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    WARN(fmt::format("525,600 rows x 20 columns, {} MB, to steps of {} s: {:.3f} s", text.size() / 1000000, step, s));
    CHECK(loaded.good());
  }
}
