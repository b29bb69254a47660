// The smallest program that uses an installed hawser.
#include <iostream>

#include <hawser/parameters.h>
#include <hawser/version.h>

int main() {
  std::cout << "hawser " << hawser::version() << '\n';
  return hawser::parameters_page().empty() ? 1 : 0;
}
