// Every transcript in tests/scripts/raft/ is one test. With --rewrite what is printed takes the
// place of what was expected: read the difference before you believe it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/scripts/script_file.h"
#include "tests/scripts/script_language.h"

namespace cairn::scripts {

bool rewrite = false;  // set by main()

namespace {

std::vector<std::string> ScriptNames() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(CAIRN_SCRIPTS)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class RaftScriptTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RaftScriptTest, HappensAsWritten) {
  const std::string path = fmt::format("{}/{}.txt", CAIRN_SCRIPTS, GetParam());
  Result<ScriptFile> file = ParseScript(ReadFile(path));
  ASSERT_TRUE(file.has_value()) << file.error().ToString();
  ASSERT_FALSE(file->blocks.empty());
  ScriptLanguage language;
  for (Block& block : file->blocks) {
    std::string printed;
    for (const std::string& command : block.commands) printed += language.Run(command);
    if (!rewrite) {
      EXPECT_EQ(printed, block.expected) << path << ":" << block.line;
    }
    block.expected = printed;
  }
  if (rewrite) std::ofstream(path) << ToString(*file);
}

INSTANTIATE_TEST_SUITE_P(Scripts, RaftScriptTest, ::testing::ValuesIn(ScriptNames()),
                         [](const auto& script) { return script.param; });

TEST(ScriptFileTest, IsWrittenAsItWasRead) {
  const std::string text = "# why\n\ncluster voters=1\ntick 1s\n----\n1 is leader\n\n# end\n";
  const Result<ScriptFile> file = ParseScript(text);
  ASSERT_TRUE(file.has_value());
  ASSERT_EQ(file->blocks.size(), 1u);
  EXPECT_EQ(file->blocks[0].line, 3u);
  EXPECT_EQ(file->blocks[0].expected, "1 is leader\n");
  EXPECT_EQ(ToString(*file), text);
  EXPECT_FALSE(ParseScript("tick 1s\n").has_value());
}

TEST(ScriptLanguageTest, SaysWhatItDoesNotUnderstand) {
  ScriptLanguage language;
  EXPECT_EQ(language.Run("tick 1s"), "error: there is no cluster yet\n");
  EXPECT_EQ(language.Run("cluster voters=1"), "");
  EXPECT_EQ(language.Run("jump 1"), "error: no command jump\n");
  EXPECT_EQ(language.Run("propose 7 x"), "error: which member?\n");
}

}  // namespace
}  // namespace cairn::scripts

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  for (int i = 1; i < count; ++i) {
    if (std::string(words[i]) == "--rewrite") cairn::scripts::rewrite = true;
  }
  return RUN_ALL_TESTS();
}
