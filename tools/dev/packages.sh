# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Debian 12 packages, once: ./dev installs all of them, the Dockerfile those that a build needs.

build_packages=(
  ca-certificates git ninja-build cmake g++ pkg-config ccache mold
  libboost-dev libssl-dev libyaml-cpp-dev libprotobuf-dev protobuf-compiler prometheus-cpp-dev
  libcpp-httplib-dev libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev libisal-dev zlib1g-dev
  liblz4-dev libzstd-dev
)
check_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev
  curl e2fsprogs iproute2 nftables procps python3 python3-yaml
)
