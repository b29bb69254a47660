// The smallest program that uses an installed hawser.
#include <iostream>

#include <hawser/hawser.hpp>

int main() {
  std::cout << "hawser " << hawser::version() << '\n';
  return hawser::parameters_page().empty() ? 1 : 0;
}
