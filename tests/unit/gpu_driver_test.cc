// What is said where there is no usable driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gpu/driver.h"

namespace hawser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(CudaDriverLoad, AMissingLibraryIsNamedWithCauseAndRemedy) {
  const auto driver = CudaDriver::load("/nowhere/libcuda.so.1");
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(driver.error().code(), Code::unavailable);
  EXPECT_THAT(driver.error().message(),
              AllOf(HasSubstr("no usable CUDA driver: /nowhere/libcuda.so.1: cannot open"),
                    HasSubstr("No such file"), HasSubstr("install the NVIDIA driver"),
                    HasSubstr("HAWSER_CUDA_LIBRARY")));
}

// Any library that is no CUDA driver.
TEST(CudaDriverLoad, AMissingSymbolIsNamedWithCauseAndRemedy) {
  const auto driver = CudaDriver::load("libc.so.6");
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(driver.error().code(), Code::unavailable);
  EXPECT_THAT(driver.error().message(),
              AllOf(HasSubstr("libc.so.6: it has no function cuInit"), HasSubstr("update")));
}

TEST(CudaDriverLoad, TheParameterNamesTheLibrary) {
  setenv("HAWSER_CUDA_LIBRARY", "/nowhere/else.so", 1);
  const auto driver = CudaDriver::load();
  unsetenv("HAWSER_CUDA_LIBRARY");
  ASSERT_FALSE(driver.ok());
  EXPECT_THAT(driver.error().message(), HasSubstr("/nowhere/else.so"));
}

}  // namespace
}  // namespace hawser
