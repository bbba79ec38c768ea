# librsvg (SVG drawings to pixels), which ships a pkg-config file alone. Defines librsvg::rsvg; include <librsvg/rsvg.h>.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(librsvg_pkgconfig QUIET IMPORTED_TARGET GLOBAL librsvg-2.0>=2.52)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(librsvg REQUIRED_VARS librsvg_pkgconfig_LIBRARIES VERSION_VAR librsvg_pkgconfig_VERSION
  REASON_FAILURE_MESSAGE "librsvg 2.52 or newer is needed (Debian: librsvg2-dev)")
if(librsvg_FOUND AND NOT TARGET librsvg::rsvg)
  add_library(librsvg::rsvg INTERFACE IMPORTED)
  set_target_properties(librsvg::rsvg PROPERTIES INTERFACE_LINK_LIBRARIES PkgConfig::librsvg_pkgconfig)
endif()
