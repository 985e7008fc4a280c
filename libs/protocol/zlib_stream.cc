// SPDX-License-Identifier: Apache-2.0
#include "protocol/zlib_stream.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace gantry::protocol {
namespace {

constexpr std::size_t kStreamBytesMax = std::numeric_limits<uInt>::max();

// zlib takes non-const input, which it does not change.
Bytef* input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

}  // namespace

Result<std::string> zlib_deflate(std::string_view bytes) {
  std::string out;
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  out.resize(size);
  const int code = compress(reinterpret_cast<Bytef*>(out.data()), &size, input(bytes),
                            static_cast<uLong>(bytes.size()));
  if (code != Z_OK) {
    return make_error(ErrorCode::kInvalidArgument, "zlib: cannot compress " +
                                                       std::to_string(bytes.size()) +
                                                       " bytes, code " + std::to_string(code));
  }
  out.resize(size);
  return out;
}

Result<std::string> zlib_inflate(std::string_view stream, std::size_t bytes_max) {
  constexpr std::size_t kFirstBytes = 4096;
  if (stream.size() > kStreamBytesMax || bytes_max > kStreamBytesMax) {
    return make_error(ErrorCode::kCorrupt, "zlib: stream too large");
  }
  z_stream z{};
  if (inflateInit(&z) != Z_OK) return make_error(ErrorCode::kBusy, "zlib: no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&z, inflateEnd);
  z.next_in = input(stream);
  z.avail_in = static_cast<uInt>(stream.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK) {
    const std::size_t done = out.size();
    if (done >= bytes_max) {
      return make_error(ErrorCode::kCorrupt, "zlib: stream inflates to more than " +
                                                 std::to_string(bytes_max) + " bytes");
    }
    out.resize(std::min(std::max(kFirstBytes, done * 2), bytes_max));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    z.avail_out = static_cast<uInt>(out.size() - done);
    code = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    if (code == Z_OK && z.avail_in == 0 && z.avail_out != 0) break;  // wants more input: cut off
  }
  if (code != Z_STREAM_END) {
    return make_error(ErrorCode::kCorrupt,
                      "zlib: broken or cut off stream at byte " + std::to_string(z.total_in));
  }
  return out;
}

}  // namespace gantry::protocol
