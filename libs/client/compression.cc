// SPDX-License-Identifier: Apache-2.0
#include "client/compression.h"

#include <fmt/core.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "protocol/record.h"

namespace gantry::client {
namespace {

constexpr std::size_t kChunk = 64U << 10;

// Room for at least one more chunk behind the `used` bytes; false when that would pass the limit.
// One byte more than the limit is allowed, so that a body of exactly the limit comes to its end.
bool grow(std::string& out, std::size_t used, std::size_t bytes_max) {
  if (used < out.size()) return true;
  if (used > bytes_max) return false;
  out.resize(std::min(std::max(out.size() * 2, kChunk), bytes_max + 1));
  return used < out.size();
}

std::unexpected<Error> too_large(std::size_t bytes_max) {
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("the body unpacks to more than {} bytes", bytes_max));
}

std::unexpected<Error> broken(std::string_view method, std::string_view why) {
  return make_error(ErrorCode::kCorrupt, fmt::format("the {} body is broken: {}", method, why));
}

Result<std::string> inflate_zlib(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return too_large(bytes_max);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return broken("zlib", "no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  // zlib does not write through next_in; its type predates const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::size_t used = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (!grow(out, used, bytes_max)) return too_large(bytes_max);
    const std::size_t room = out.size() - used;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      return broken("zlib", stream.msg != nullptr ? stream.msg : "it ends too early");
    }
    used += room - stream.avail_out;
  }
  if (used > bytes_max) return too_large(bytes_max);
  out.resize(used);
  return out;
}

Result<std::string> unpack_lz4(std::string_view bytes, std::size_t bytes_max) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) {
    return broken("LZ4", "no memory");
  }
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> guard(
      context, LZ4F_freeDecompressionContext);
  std::string out;
  std::size_t used = 0;
  std::size_t expected = 1;
  while (expected != 0) {
    if (!grow(out, used, bytes_max)) return too_large(bytes_max);
    std::size_t room = out.size() - used;
    std::size_t taken = bytes.size();
    expected = LZ4F_decompress(context, out.data() + used, &room, bytes.data(), &taken, nullptr);
    if (LZ4F_isError(expected)) return broken("LZ4", LZ4F_getErrorName(expected));
    if (room == 0 && taken == 0 && expected != 0) return broken("LZ4", "it ends too early");
    used += room;
    bytes.remove_prefix(taken);
  }
  if (used > bytes_max) return too_large(bytes_max);
  out.resize(used);
  return out;
}

Result<std::string> unpack_zstd(std::string_view bytes, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx);
  if (context == nullptr) return broken("zstd", "no memory");
  std::string out;
  std::size_t used = 0;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t expected = 1;
  while (expected != 0) {
    if (!grow(out, used, bytes_max)) return too_large(bytes_max);
    ZSTD_outBuffer room{out.data() + used, out.size() - used, 0};
    const std::size_t consumed = in.pos;
    expected = ZSTD_decompressStream(context.get(), &room, &in);
    if (ZSTD_isError(expected) != 0) return broken("zstd", ZSTD_getErrorName(expected));
    if (room.pos == 0 && in.pos == consumed && expected != 0) {
      return broken("zstd", "it ends too early");
    }
    used += room.pos;
  }
  if (used > bytes_max) return too_large(bytes_max);
  out.resize(used);
  return out;
}

}  // namespace

Result<Compression> compression_of(std::int32_t sys_flag) {
  switch ((sys_flag & protocol::sys_flag::kCompressionTypeMask) >> 8) {
    case 0:  // clients that know only zlib
    case 3:
      return Compression::kZlib;
    case 1:
      return Compression::kLz4;
    case 2:
      return Compression::kZstd;
    default:
      return make_error(ErrorCode::kUnsupported,
                        fmt::format("sysFlag {:#x} names an unknown compression", sys_flag));
  }
}

Result<std::string> decompress(Compression method, std::string_view bytes, std::size_t bytes_max) {
  switch (method) {
    case Compression::kZlib:
      return inflate_zlib(bytes, bytes_max);
    case Compression::kLz4:
      return unpack_lz4(bytes, bytes_max);
    case Compression::kZstd:
      return unpack_zstd(bytes, bytes_max);
  }
  return make_error(ErrorCode::kUnsupported, "unknown compression");
}

}  // namespace gantry::client
