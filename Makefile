# A thin front for people used to make; cmake and the scripts do the work.
.PHONY: all test test_devmem_validation p2p_singleproc format lint install clean
PREFIX ?= /usr/local
BUILD := scripts/build.sh

all:
	@$(BUILD) release

test:
	@./run_tests.sh

test_devmem_validation:
	@$(BUILD) release $@
	@ln -sfn ../build/release/tests/$@ tests/$@
	@echo "tests/$@ is up to date"

p2p_singleproc:
	@$(BUILD) release hawser_tool
	@echo "build/release/tools/hawser/hawser is up to date: ./run_p2p_singleproc.sh runs its node"

format:
	@git ls-files '*.c' '*.cc' '*.h' '*.cu' | xargs clang-format -i

lint:
	@scripts/lint.sh

install: all
	@cmake --install build/release --prefix "$(DESTDIR)$(PREFIX)"

clean:
	rm -rf build tests/test_devmem_validation
