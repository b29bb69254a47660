# `cmake --install`: the library, its headers, the command, and what find_package(hawser) and
# pkg-config need to find them.
include(CMakePackageConfigHelpers)

install(TARGETS hawser EXPORT hawser-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Beside libhawser: NCCL finds it by name where the loader looks.
install(TARGETS nccl-net-hawser LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS hawser_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Started by libhawser, not by people: what an isolated plugin runs in.
install(TARGETS hawser_plugin_host RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/hawser)
install(DIRECTORY include/hawser DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

set(HAWSER_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/hawser)
install(EXPORT hawser-targets NAMESPACE hawser:: DESTINATION ${HAWSER_CMAKE_DIR})
configure_package_config_file(cmake/hawser-config.cmake.in ${CMAKE_BINARY_DIR}/hawser-config.cmake
  INSTALL_DESTINATION ${HAWSER_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/hawser-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/hawser-config.cmake ${CMAKE_BINARY_DIR}/hawser-config-version.cmake
  DESTINATION ${HAWSER_CMAKE_DIR})

# Relative, so that an installed tree can be moved, and `cmake --install --prefix` works.
set(HAWSER_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH HAWSER_PC_TO_PREFIX /${HAWSER_PC_DIR} /)
configure_file(cmake/hawser.pc.in ${CMAKE_BINARY_DIR}/hawser.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/hawser.pc DESTINATION ${HAWSER_PC_DIR})
