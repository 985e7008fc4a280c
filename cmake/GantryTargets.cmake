# SPDX-License-Identifier: Apache-2.0
# gantry_library(NAME n SRCS ... DEPS our libs... LINK third-party targets...)
#   Makes static library gantry_<n>. DEPS are checked against libs/README.md by tools/check-deps.
# gantry_executable(NAME n SRCS ... DEPS ... LINK ...)
#   An install component of its name: `cmake --install build/release --component n`.
# gantry_test(NAME n LABEL unit SRCS ... DEPS ... LINK ...)   one GoogleTest binary.
function(_gantry_link target)
  cmake_parse_arguments(A "" "" "DEPS;LINK" ${ARGN})
  foreach(dep IN LISTS A_DEPS)
    target_link_libraries(${target} PUBLIC gantry_${dep})
  endforeach()
  target_link_libraries(${target} PUBLIC ${A_LINK})
  target_compile_options(${target} PRIVATE ${GANTRY_WARNINGS})
endfunction()

function(gantry_library)
  cmake_parse_arguments(A "" "NAME" "SRCS;DEPS;LINK" ${ARGN})
  add_library(gantry_${A_NAME} STATIC ${A_SRCS})
  target_include_directories(gantry_${A_NAME} PUBLIC "${PROJECT_SOURCE_DIR}/libs")
  _gantry_link(gantry_${A_NAME} DEPS ${A_DEPS} LINK ${A_LINK})
endfunction()

function(gantry_executable)
  cmake_parse_arguments(A "" "NAME" "SRCS;DEPS;LINK" ${ARGN})
  add_executable(${A_NAME} ${A_SRCS})
  target_include_directories(${A_NAME} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/libs")
  _gantry_link(${A_NAME} DEPS ${A_DEPS} LINK ${A_LINK})
  install(TARGETS ${A_NAME} RUNTIME DESTINATION bin COMPONENT ${A_NAME})
endfunction()

function(gantry_test)
  cmake_parse_arguments(A "" "NAME;LABEL" "SRCS;DEPS;LINK" ${ARGN})
  add_executable(${A_NAME} ${A_SRCS})
  target_include_directories(${A_NAME} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/libs")
  _gantry_link(${A_NAME} DEPS ${A_DEPS} LINK ${A_LINK} GTest::gtest_main GTest::gmock)
  add_test(NAME ${A_NAME} COMMAND ${A_NAME})
  set_tests_properties(${A_NAME} PROPERTIES LABELS ${A_LABEL} TIMEOUT 300)
endfunction()
