// SPDX-License-Identifier: Apache-2.0
#include "client/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "protocol/record.h"

namespace gantry::client {
namespace {

std::string sample(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i)
    text += "line " + std::to_string(i * 7919) + '\n';
  text.resize(size);
  return text;
}

std::string pack(Compression method, const std::string& plain) {
  std::string out;
  switch (method) {
    case Compression::kZlib: {
      uLongf size = compressBound(plain.size());
      out.resize(size);
      EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                         reinterpret_cast<const Bytef*>(plain.data()), plain.size()),
                Z_OK);
      out.resize(size);
      break;
    }
    case Compression::kLz4:
      out.resize(LZ4F_compressFrameBound(plain.size(), nullptr));
      out.resize(LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), nullptr));
      break;
    case Compression::kZstd:
      out.resize(ZSTD_compressBound(plain.size()));
      out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
      break;
  }
  return out;
}

class CompressionTest : public testing::TestWithParam<Compression> {};

TEST_P(CompressionTest, UnpacksWhatWasPacked) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{300'000}}) {
    const std::string plain = sample(size);
    const auto unpacked = decompress(GetParam(), pack(GetParam(), plain), 1 << 20);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_EQ(*unpacked, plain);
  }
}

TEST_P(CompressionTest, ABodyOfExactlyTheLimitPasses) {
  const std::string plain = sample(100'000);
  const std::string packed = pack(GetParam(), plain);
  EXPECT_TRUE(decompress(GetParam(), packed, 100'000));
  const auto too_large = decompress(GetParam(), packed, 99'999);
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(too_large.error().message.find("99999"), std::string::npos);
}

TEST_P(CompressionTest, EveryCutIsAnError) {
  const std::string packed = pack(GetParam(), sample(2000));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(decompress(GetParam(), packed.substr(0, size), 1 << 20)) << size;
  }
}

TEST_P(CompressionTest, OtherBytesAreAnError) {
  EXPECT_FALSE(decompress(GetParam(), "this is no compressed body at all", 1 << 20));
}

INSTANTIATE_TEST_SUITE_P(Methods, CompressionTest,
                         testing::Values(Compression::kZlib, Compression::kLz4,
                                         Compression::kZstd));

TEST(Compression, SysFlagNamesTheMethod) {
  constexpr std::int32_t kBase = protocol::sys_flag::kCompressed;
  EXPECT_EQ(compression_of(kBase).value(), Compression::kZlib);
  EXPECT_EQ(compression_of(kBase | 1 << 8).value(), Compression::kLz4);
  EXPECT_EQ(compression_of(kBase | 2 << 8).value(), Compression::kZstd);
  EXPECT_EQ(compression_of(kBase | 3 << 8).value(), Compression::kZlib);
  EXPECT_EQ(compression_of(kBase | 4 << 8).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace gantry::client
