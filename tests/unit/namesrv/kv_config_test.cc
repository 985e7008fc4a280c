// SPDX-License-Identifier: Apache-2.0
#include "namesrv/kvconfig/kv_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "io/file_system.h"
#include "log/log.h"

namespace gantry::namesrv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(KvCodec, WritesRocketMqsForm) {
  const KvNamespaces table{{"NS", {{"k", "v"}}}, {"EMPTY", {}}};
  EXPECT_EQ(encode_kv_namespaces(table), R"({"configTable":{"EMPTY":{},"NS":{"k":"v"}}})");
}

TEST(KvCodec, ReadsBackWhatItWrote) {
  const KvNamespaces table{
      {"ORDER_TOPIC_CONFIG", {{"T", "broker-a:4;broker-b:4"}, {"quote\"", "line\nbreak"}}},
      {"ümlaut", {{"", ""}}}};
  EXPECT_EQ(decode_kv_namespaces(encode_kv_namespaces(table)), table);
}

TEST(KvCodec, BytesThatAreNotUtf8DoNotLoseTheTable) {
  const auto decoded =
      decode_kv_namespaces(encode_kv_namespaces({{"n", {{"k", "\xff"}, {"l", "v"}}}}));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->at("n").at("l"), "v");
}

TEST(KvCodec, ReadsApachesFileWithUnknownMembersAndNulls) {
  const auto table = decode_kv_namespaces(
      "{\n \"configTable\":{\"n\":{\"k\":\"v\",\"gone\":null}},\n \"other\":1}\n");
  ASSERT_TRUE(table);
  EXPECT_THAT(*table, ElementsAre(Pair("n", ElementsAre(Pair("k", "v")))));
  EXPECT_THAT(*decode_kv_namespaces("{}"), IsEmpty());
  EXPECT_THAT(*decode_kv_namespaces(R"({"configTable":null})"), IsEmpty());
}

TEST(KvCodec, SaysWhatIsWrong) {
  EXPECT_THAT(decode_kv_namespaces("{\"configTable\":").error().message, HasSubstr("not JSON"));
  EXPECT_THAT(decode_kv_namespaces("[]").error().message, HasSubstr("not a JSON object"));
  EXPECT_THAT(decode_kv_namespaces(R"({"configTable":[]})").error().message,
              HasSubstr("configTable"));
  EXPECT_THAT(decode_kv_namespaces(R"({"configTable":{"n":1}})").error().message,
              HasSubstr("configTable.n"));
  EXPECT_THAT(decode_kv_namespaces(R"({"configTable":{"n":{"k":1}}})").error().message,
              HasSubstr("configTable.n.k"));
}

class KvFileTest : public ::testing::Test {
 protected:
  KvFileTest() {
    log::init_logging(
        {.sink = [this](std::string_view line) { lines += std::string(line) + "\n"; }});
  }
  ~KvFileTest() override { log::init_logging({}); }

  void write(const std::string& file, std::string_view bytes) {
    ASSERT_TRUE(io::write_file_atomically(fs, file, bytes));
  }
  std::string read(const std::string& file) { return io::read_file(fs, file).value_or("<none>"); }

  test::TempDirectory dir;
  io::FileSystem& fs = io::posix_file_system();
  std::string path = dir.file("namesrv/kvConfig.json");
  std::string lines;
};

TEST_F(KvFileTest, NoFileIsAnEmptyTable) {
  const auto table = load_kv_namespaces(fs, path);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(*table, IsEmpty());
}

TEST_F(KvFileTest, ReplacingMakesDirectoriesAndKeepsOneBackup) {
  ASSERT_TRUE(replace_keeping_backup(fs, path, "1"));
  EXPECT_EQ(read(path), "1");
  EXPECT_EQ(read(path + ".bak"), "<none>");
  ASSERT_TRUE(replace_keeping_backup(fs, path, "2"));
  EXPECT_EQ(read(path), "2");
  EXPECT_EQ(read(path + ".bak"), "1");
  ASSERT_TRUE(replace_keeping_backup(fs, path, "2"));
  EXPECT_EQ(read(path + ".bak"), "1") << "writing the same again must not use up the backup";
}

TEST_F(KvFileTest, LoadsWhatWasStored) {
  const KvNamespaces table{{"n", {{"k", "v"}}}};
  ASSERT_TRUE(replace_keeping_backup(fs, path, encode_kv_namespaces(table)));
  EXPECT_EQ(load_kv_namespaces(fs, path), table);
}

TEST_F(KvFileTest, DamagedFileIsSetAsideForItsBackup) {
  ASSERT_TRUE(replace_keeping_backup(fs, path, R"({"configTable":{"n":{"k":"old"}}})"));
  ASSERT_TRUE(replace_keeping_backup(fs, path, R"({"configTable":{"n":{"k)"));
  const auto table = load_kv_namespaces(fs, path);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->at("n").at("k"), "old");
  EXPECT_EQ(read(path + ".damaged"), R"({"configTable":{"n":{"k)");
  EXPECT_EQ(read(path), "<none>");
  EXPECT_THAT(lines, HasSubstr("damaged"));
}

TEST_F(KvFileTest, DamagedFileWithoutBackupIsAnErrorThatNamesIt) {
  ASSERT_TRUE(replace_keeping_backup(fs, path, "nonsense"));
  const auto table = load_kv_namespaces(fs, path);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(table.error().message, HasSubstr(path));
  EXPECT_EQ(read(path), "nonsense") << "nothing is lost";
}

TEST_F(KvFileTest, MissingFileWithBackupUsesTheBackup) {
  ASSERT_TRUE(fs.create_directories(io::parent_directory(path)));
  write(path + ".bak", R"({"configTable":{"n":{"k":"v"}}})");
  const auto table = load_kv_namespaces(fs, path);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->at("n").at("k"), "v");
}

TEST(KvConfigTest, PutListEraseAreDurableBeforeTheyAreSeen) {
  test::ManualFileWriter writer;
  KvConfig kv({{"n", {{"k", "v"}}}}, "/kv", writer);
  ASSERT_NE(kv.get("n", "k"), nullptr);
  EXPECT_EQ(kv.get("n", "x"), nullptr);
  EXPECT_EQ(kv.get("x", "k"), nullptr);
  EXPECT_EQ(kv.list("x"), nullptr);

  int answers = 0;
  const auto ok = [&](const Result<void>& r) {
    EXPECT_TRUE(r);
    ++answers;
  };
  kv.put("n", "k", "w", ok);
  EXPECT_EQ(*kv.get("n", "k"), "v");
  EXPECT_EQ(writer.finish(), R"({"configTable":{"n":{"k":"w"}}})");
  EXPECT_EQ(*kv.get("n", "k"), "w");
  kv.erase("n", "k", ok);
  EXPECT_EQ(writer.finish(), R"({"configTable":{"n":{}}})");
  EXPECT_EQ(kv.get("n", "k"), nullptr);
  ASSERT_NE(kv.list("n"), nullptr) << "a namespace stays when its last key goes";
  kv.erase("never", "was", ok);
  writer.finish();
  EXPECT_EQ(kv.list("never"), nullptr);
  EXPECT_EQ(answers, 3);
}

}  // namespace
}  // namespace gantry::namesrv
