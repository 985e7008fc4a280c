# SPDX-License-Identifier: Apache-2.0
# Language, warnings, sanitizers, compiler cache and linker, for every target of the project.
option(GANTRY_TESTS "Build the unit, script and simulation tests" ON)
option(GANTRY_FUZZ "Build the fuzzers (needs clang)" OFF)
option(GANTRY_BENCH "Build the micro benchmarks (needs Google Benchmark)" OFF)
set(GANTRY_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(GANTRY_CCACHE ccache)
if(GANTRY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${GANTRY_CCACHE}")
endif()

find_program(GANTRY_MOLD mold)
if(GANTRY_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-fno-omit-frame-pointer)
if(GANTRY_SANITIZE)
  add_compile_options(-fsanitize=${GANTRY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GANTRY_SANITIZE})
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

# -Wrestrict gives false alarms for std::string operator+ in g++ 12 (fixed in 13).
set(GANTRY_WARNINGS
    -Wall -Wextra -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
    -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND GANTRY_WARNINGS -Wno-restrict)
endif()
