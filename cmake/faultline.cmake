# The build in one place: what every file is compiled with, and what a component is.
# FAULTLINE_MACHINE (aarch64 | host) and FAULTLINE_CHECKS (0 | 1) come from the preset, as do the sanitizers in CMAKE_C_FLAGS.

set(CMAKE_C_STANDARD 23)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(FAULTLINE_CCACHE ccache)
if(FAULTLINE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${FAULTLINE_CCACHE})
endif()

add_library(faultline_options INTERFACE)
target_include_directories(faultline_options INTERFACE
  ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/hal/include
  ${PROJECT_SOURCE_DIR}/hal/${FAULTLINE_MACHINE}/include
  ${PROJECT_SOURCE_DIR}/fault/include)
target_compile_definitions(faultline_options INTERFACE FAULTLINE_CHECKS=${FAULTLINE_CHECKS})
target_compile_options(faultline_options INTERFACE
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=../../=    # ccache makes paths relative to the build folder
  -ffile-prefix-map=${PROJECT_BINARY_DIR}=. # so that stacks and debuggers start from the tree
  -Wall -Wextra -Werror -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
  -Wno-unused-parameter -Wimplicit-fallthrough -fno-pie -fno-strict-aliasing)
target_link_options(faultline_options INTERFACE -no-pie)
if(NOT FAULTLINE_NO_FRAME_POINTERS) # backtraces follow them
  target_compile_options(faultline_options INTERFACE -fno-omit-frame-pointer)
endif()
if(FAULTLINE_MACHINE STREQUAL "aarch64")
  # The kernel must not touch SIMD registers: they are the user's until saved.
  set(FAULTLINE_KERNEL_OPTIONS -ffreestanding -mgeneral-regs-only -mno-outline-atomics -mstrict-align
      -fno-stack-protector -fno-common -ffunction-sections -fdata-sections -Wframe-larger-than=2048)
else()
  # The kernel's variables in sections of their own, which a reset of the simulated machine restores.
  set(FAULTLINE_KERNEL_OPTIONS -fno-builtin-malloc -fno-common
      -include ${PROJECT_SOURCE_DIR}/hal/host/include/machine/sections.h)
  if(CMAKE_C_COMPILER_ID MATCHES Clang)
    list(APPEND FAULTLINE_KERNEL_OPTIONS -Wthread-safety)
  endif()
endif()

# faultline_component(NAME [SOURCES file…] DEPENDS component…): the .c and .S files of this folder as one object library.
# DEPENDS is the dependency graph; FAULTLINE_COMPONENTS collects what the final links take.
function(faultline_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c ${CMAKE_CURRENT_SOURCE_DIR}/*.S)
  endif()
  if(NOT ARG_SOURCES) # nothing there yet
    add_library(${name} INTERFACE)
    return()
  endif()
  add_library(${name} OBJECT ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${FAULTLINE_KERNEL_OPTIONS})
  target_link_libraries(${name} PUBLIC faultline_options ${ARG_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY FAULTLINE_COMPONENTS ${name})
endfunction()
