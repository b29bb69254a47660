// Generated from unpack.cu and copy_tile.cuh by scripts/make_kernels.sh: change those, then run this.
#pragma once

namespace hawser {

inline constexpr char kUnpackSourceSha256[] =
    "914c20efe1090e1f1d520017a2f539b20158dc1dc445fd66a538e503321d4b79";
inline constexpr char kUnpackCompiler[] = "Debian clang version 14.0.6";
inline constexpr char kUnpackPtx[] = R"ptx(
.version 6.0
.target sm_70
.address_size 64
.visible .entry hawser_unpack(
	.param .align 8 .b8 hawser_unpack_param_0[512]
)
{
	.reg .pred 	%p<60>;
	.reg .b32 	%r<1019>;
	.reg .b64 	%rd<281>;
	.shared .align 8 .b8 _ZZ13hawser_unpackE9fragments[128];
	mov.u32 %r21, %ctaid.y;
	ld.param.u64 	%rd24, [hawser_unpack_param_0];
	ld.param.u64 	%rd27, [hawser_unpack_param_0+8];
	ld.param.u64 	%rd30, [hawser_unpack_param_0+16];
	ld.param.u64 	%rd33, [hawser_unpack_param_0+24];
	setp.eq.s32 	%p1, %r21, 1;
	ld.param.u64 	%rd23, [hawser_unpack_param_0+32];
	selp.u32 	%r22, 1, 0, %p1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r22, 0;
	selp.b64 %rd22, %rd23, %rd24, p;
	}
	ld.param.u64 	%rd26, [hawser_unpack_param_0+40];
	{
	.reg .pred p;
	setp.ne.u32 p, %r22, 0;
	selp.b64 %rd25, %rd26, %rd27, p;
	}
	ld.param.u64 	%rd29, [hawser_unpack_param_0+48];
	{
	.reg .pred p;
	setp.ne.u32 p, %r22, 0;
	selp.b64 %rd28, %rd29, %rd30, p;
	}
	ld.param.u64 	%rd32, [hawser_unpack_param_0+56];
	{
	.reg .pred p;
	setp.ne.u32 p, %r22, 0;
	selp.b64 %rd31, %rd32, %rd33, p;
	}
	setp.eq.s32 	%p2, %r21, 2;
	ld.param.u64 	%rd35, [hawser_unpack_param_0+64];
	selp.u32 	%r26, 1, 0, %p2;
	{
	.reg .pred p;
	setp.ne.u32 p, %r26, 0;
	selp.b64 %rd34, %rd35, %rd22, p;
	}
	ld.param.u64 	%rd38, [hawser_unpack_param_0+72];
	{
	.reg .pred p;
	setp.ne.u32 p, %r26, 0;
	selp.b64 %rd37, %rd38, %rd25, p;
	}
	ld.param.u64 	%rd41, [hawser_unpack_param_0+80];
	{
	.reg .pred p;
	setp.ne.u32 p, %r26, 0;
	selp.b64 %rd40, %rd41, %rd28, p;
	}
	ld.param.u64 	%rd44, [hawser_unpack_param_0+88];
	{
	.reg .pred p;
	setp.ne.u32 p, %r26, 0;
	selp.b64 %rd43, %rd44, %rd31, p;
	}
	setp.eq.s32 	%p3, %r21, 3;
	ld.param.u64 	%rd47, [hawser_unpack_param_0+96];
	selp.u32 	%r30, 1, 0, %p3;
	{
	.reg .pred p;
	setp.ne.u32 p, %r30, 0;
	selp.b64 %rd46, %rd47, %rd34, p;
	}
	ld.param.u64 	%rd50, [hawser_unpack_param_0+104];
	{
	.reg .pred p;
	setp.ne.u32 p, %r30, 0;
	selp.b64 %rd49, %rd50, %rd37, p;
	}
	ld.param.u64 	%rd53, [hawser_unpack_param_0+112];
	{
	.reg .pred p;
	setp.ne.u32 p, %r30, 0;
	selp.b64 %rd52, %rd53, %rd40, p;
	}
	ld.param.u64 	%rd56, [hawser_unpack_param_0+120];
	{
	.reg .pred p;
	setp.ne.u32 p, %r30, 0;
	selp.b64 %rd55, %rd56, %rd43, p;
	}
	setp.eq.s32 	%p4, %r21, 4;
	ld.param.u64 	%rd59, [hawser_unpack_param_0+128];
	selp.u32 	%r34, 1, 0, %p4;
	{
	.reg .pred p;
	setp.ne.u32 p, %r34, 0;
	selp.b64 %rd58, %rd59, %rd46, p;
	}
	ld.param.u64 	%rd62, [hawser_unpack_param_0+136];
	{
	.reg .pred p;
	setp.ne.u32 p, %r34, 0;
	selp.b64 %rd61, %rd62, %rd49, p;
	}
	ld.param.u64 	%rd65, [hawser_unpack_param_0+144];
	{
	.reg .pred p;
	setp.ne.u32 p, %r34, 0;
	selp.b64 %rd64, %rd65, %rd52, p;
	}
	ld.param.u64 	%rd68, [hawser_unpack_param_0+152];
	{
	.reg .pred p;
	setp.ne.u32 p, %r34, 0;
	selp.b64 %rd67, %rd68, %rd55, p;
	}
	setp.eq.s32 	%p5, %r21, 5;
	ld.param.u64 	%rd71, [hawser_unpack_param_0+160];
	selp.u32 	%r38, 1, 0, %p5;
	{
	.reg .pred p;
	setp.ne.u32 p, %r38, 0;
	selp.b64 %rd70, %rd71, %rd58, p;
	}
	ld.param.u64 	%rd74, [hawser_unpack_param_0+168];
	{
	.reg .pred p;
	setp.ne.u32 p, %r38, 0;
	selp.b64 %rd73, %rd74, %rd61, p;
	}
	ld.param.u64 	%rd77, [hawser_unpack_param_0+176];
	{
	.reg .pred p;
	setp.ne.u32 p, %r38, 0;
	selp.b64 %rd76, %rd77, %rd64, p;
	}
	ld.param.u64 	%rd80, [hawser_unpack_param_0+184];
	{
	.reg .pred p;
	setp.ne.u32 p, %r38, 0;
	selp.b64 %rd79, %rd80, %rd67, p;
	}
	setp.eq.s32 	%p6, %r21, 6;
	ld.param.u64 	%rd83, [hawser_unpack_param_0+192];
	selp.u32 	%r42, 1, 0, %p6;
	{
	.reg .pred p;
	setp.ne.u32 p, %r42, 0;
	selp.b64 %rd82, %rd83, %rd70, p;
	}
	ld.param.u64 	%rd86, [hawser_unpack_param_0+200];
	{
	.reg .pred p;
	setp.ne.u32 p, %r42, 0;
	selp.b64 %rd85, %rd86, %rd73, p;
	}
	ld.param.u64 	%rd89, [hawser_unpack_param_0+208];
	{
	.reg .pred p;
	setp.ne.u32 p, %r42, 0;
	selp.b64 %rd88, %rd89, %rd76, p;
	}
	ld.param.u64 	%rd92, [hawser_unpack_param_0+216];
	{
	.reg .pred p;
	setp.ne.u32 p, %r42, 0;
	selp.b64 %rd91, %rd92, %rd79, p;
	}
	setp.eq.s32 	%p7, %r21, 7;
	ld.param.u64 	%rd95, [hawser_unpack_param_0+224];
	selp.u32 	%r46, 1, 0, %p7;
	{
	.reg .pred p;
	setp.ne.u32 p, %r46, 0;
	selp.b64 %rd94, %rd95, %rd82, p;
	}
	ld.param.u64 	%rd98, [hawser_unpack_param_0+232];
	{
	.reg .pred p;
	setp.ne.u32 p, %r46, 0;
	selp.b64 %rd97, %rd98, %rd85, p;
	}
	ld.param.u64 	%rd101, [hawser_unpack_param_0+240];
	{
	.reg .pred p;
	setp.ne.u32 p, %r46, 0;
	selp.b64 %rd100, %rd101, %rd88, p;
	}
	ld.param.u64 	%rd104, [hawser_unpack_param_0+248];
	{
	.reg .pred p;
	setp.ne.u32 p, %r46, 0;
	selp.b64 %rd103, %rd104, %rd91, p;
	}
	setp.eq.s32 	%p8, %r21, 8;
	ld.param.u64 	%rd107, [hawser_unpack_param_0+256];
	selp.u32 	%r50, 1, 0, %p8;
	{
	.reg .pred p;
	setp.ne.u32 p, %r50, 0;
	selp.b64 %rd106, %rd107, %rd94, p;
	}
	ld.param.u64 	%rd110, [hawser_unpack_param_0+264];
	{
	.reg .pred p;
	setp.ne.u32 p, %r50, 0;
	selp.b64 %rd109, %rd110, %rd97, p;
	}
	ld.param.u64 	%rd113, [hawser_unpack_param_0+272];
	{
	.reg .pred p;
	setp.ne.u32 p, %r50, 0;
	selp.b64 %rd112, %rd113, %rd100, p;
	}
	ld.param.u64 	%rd116, [hawser_unpack_param_0+280];
	{
	.reg .pred p;
	setp.ne.u32 p, %r50, 0;
	selp.b64 %rd115, %rd116, %rd103, p;
	}
	setp.eq.s32 	%p9, %r21, 9;
	ld.param.u64 	%rd119, [hawser_unpack_param_0+288];
	selp.u32 	%r54, 1, 0, %p9;
	{
	.reg .pred p;
	setp.ne.u32 p, %r54, 0;
	selp.b64 %rd118, %rd119, %rd106, p;
	}
	ld.param.u64 	%rd122, [hawser_unpack_param_0+296];
	{
	.reg .pred p;
	setp.ne.u32 p, %r54, 0;
	selp.b64 %rd121, %rd122, %rd109, p;
	}
	ld.param.u64 	%rd125, [hawser_unpack_param_0+304];
	{
	.reg .pred p;
	setp.ne.u32 p, %r54, 0;
	selp.b64 %rd124, %rd125, %rd112, p;
	}
	ld.param.u64 	%rd128, [hawser_unpack_param_0+312];
	{
	.reg .pred p;
	setp.ne.u32 p, %r54, 0;
	selp.b64 %rd127, %rd128, %rd115, p;
	}
	setp.eq.s32 	%p10, %r21, 10;
	ld.param.u64 	%rd131, [hawser_unpack_param_0+320];
	selp.u32 	%r58, 1, 0, %p10;
	{
	.reg .pred p;
	setp.ne.u32 p, %r58, 0;
	selp.b64 %rd130, %rd131, %rd118, p;
	}
	ld.param.u64 	%rd134, [hawser_unpack_param_0+328];
	{
	.reg .pred p;
	setp.ne.u32 p, %r58, 0;
	selp.b64 %rd133, %rd134, %rd121, p;
	}
	ld.param.u64 	%rd137, [hawser_unpack_param_0+336];
	{
	.reg .pred p;
	setp.ne.u32 p, %r58, 0;
	selp.b64 %rd136, %rd137, %rd124, p;
	}
	ld.param.u64 	%rd140, [hawser_unpack_param_0+344];
	{
	.reg .pred p;
	setp.ne.u32 p, %r58, 0;
	selp.b64 %rd139, %rd140, %rd127, p;
	}
	setp.eq.s32 	%p11, %r21, 11;
	ld.param.u64 	%rd143, [hawser_unpack_param_0+352];
	selp.u32 	%r62, 1, 0, %p11;
	{
	.reg .pred p;
	setp.ne.u32 p, %r62, 0;
	selp.b64 %rd142, %rd143, %rd130, p;
	}
	ld.param.u64 	%rd146, [hawser_unpack_param_0+360];
	{
	.reg .pred p;
	setp.ne.u32 p, %r62, 0;
	selp.b64 %rd145, %rd146, %rd133, p;
	}
	ld.param.u64 	%rd149, [hawser_unpack_param_0+368];
	{
	.reg .pred p;
	setp.ne.u32 p, %r62, 0;
	selp.b64 %rd148, %rd149, %rd136, p;
	}
	ld.param.u64 	%rd152, [hawser_unpack_param_0+376];
	{
	.reg .pred p;
	setp.ne.u32 p, %r62, 0;
	selp.b64 %rd151, %rd152, %rd139, p;
	}
	setp.eq.s32 	%p12, %r21, 12;
	ld.param.u64 	%rd155, [hawser_unpack_param_0+384];
	selp.u32 	%r66, 1, 0, %p12;
	{
	.reg .pred p;
	setp.ne.u32 p, %r66, 0;
	selp.b64 %rd154, %rd155, %rd142, p;
	}
	ld.param.u64 	%rd158, [hawser_unpack_param_0+392];
	{
	.reg .pred p;
	setp.ne.u32 p, %r66, 0;
	selp.b64 %rd157, %rd158, %rd145, p;
	}
	ld.param.u64 	%rd161, [hawser_unpack_param_0+400];
	{
	.reg .pred p;
	setp.ne.u32 p, %r66, 0;
	selp.b64 %rd160, %rd161, %rd148, p;
	}
	ld.param.u64 	%rd164, [hawser_unpack_param_0+408];
	{
	.reg .pred p;
	setp.ne.u32 p, %r66, 0;
	selp.b64 %rd163, %rd164, %rd151, p;
	}
	setp.eq.s32 	%p13, %r21, 13;
	ld.param.u64 	%rd167, [hawser_unpack_param_0+416];
	selp.u32 	%r70, 1, 0, %p13;
	{
	.reg .pred p;
	setp.ne.u32 p, %r70, 0;
	selp.b64 %rd166, %rd167, %rd154, p;
	}
	ld.param.u64 	%rd170, [hawser_unpack_param_0+424];
	{
	.reg .pred p;
	setp.ne.u32 p, %r70, 0;
	selp.b64 %rd169, %rd170, %rd157, p;
	}
	ld.param.u64 	%rd173, [hawser_unpack_param_0+432];
	{
	.reg .pred p;
	setp.ne.u32 p, %r70, 0;
	selp.b64 %rd172, %rd173, %rd160, p;
	}
	ld.param.u64 	%rd176, [hawser_unpack_param_0+440];
	{
	.reg .pred p;
	setp.ne.u32 p, %r70, 0;
	selp.b64 %rd175, %rd176, %rd163, p;
	}
	setp.eq.s32 	%p14, %r21, 14;
	ld.param.u64 	%rd179, [hawser_unpack_param_0+448];
	selp.u32 	%r74, 1, 0, %p14;
	{
	.reg .pred p;
	setp.ne.u32 p, %r74, 0;
	selp.b64 %rd178, %rd179, %rd166, p;
	}
	ld.param.u64 	%rd182, [hawser_unpack_param_0+456];
	{
	.reg .pred p;
	setp.ne.u32 p, %r74, 0;
	selp.b64 %rd181, %rd182, %rd169, p;
	}
	ld.param.u64 	%rd185, [hawser_unpack_param_0+464];
	{
	.reg .pred p;
	setp.ne.u32 p, %r74, 0;
	selp.b64 %rd184, %rd185, %rd172, p;
	}
	ld.param.u64 	%rd188, [hawser_unpack_param_0+472];
	{
	.reg .pred p;
	setp.ne.u32 p, %r74, 0;
	selp.b64 %rd187, %rd188, %rd175, p;
	}
	setp.eq.s32 	%p15, %r21, 15;
	ld.param.u64 	%rd191, [hawser_unpack_param_0+480];
	selp.u32 	%r78, 1, 0, %p15;
	{
	.reg .pred p;
	setp.ne.u32 p, %r78, 0;
	selp.b64 %rd190, %rd191, %rd178, p;
	}
	ld.param.u64 	%rd194, [hawser_unpack_param_0+488];
	{
	.reg .pred p;
	setp.ne.u32 p, %r78, 0;
	selp.b64 %rd193, %rd194, %rd181, p;
	}
	ld.param.u64 	%rd197, [hawser_unpack_param_0+496];
	{
	.reg .pred p;
	setp.ne.u32 p, %r78, 0;
	selp.b64 %rd196, %rd197, %rd184, p;
	}
	ld.param.u64 	%rd200, [hawser_unpack_param_0+504];
	{
	.reg .pred p;
	setp.ne.u32 p, %r78, 0;
	selp.b64 %rd199, %rd200, %rd187, p;
	}
	mov.u32 %r82, %tid.x;
	mov.u32 %r83, %ctaid.x;
	shl.b32 	%r2, %r83, 3;
	shr.u32 	%r3, %r82, 5;
	setp.gt.u32 	%p16, %r82, 7;
	mov.u32 	%r1011, 1;
	@%p16 bra 	LBB0_3;
	add.s32 	%r84, %r2, %r82;
	cvt.u64.u32 	%rd5, %r84;
	setp.le.u64 	%p17, %rd199, %rd5;
	@%p17 bra 	LBB0_3;
	shl.b64 	%rd203, %rd5, 4;
	add.s64 	%rd202, %rd203, %rd190;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1011, 0;
	@p ld.global.v4.u32 {%r85, %r86, %r87, %r88}, [%rd202];
	}
	cvt.u64.u32 	%rd204, %r88;
	shl.b64 	%rd205, %rd204, 32;
	cvt.u64.u32 	%rd206, %r87;
	or.b64  	%rd207, %rd205, %rd206;
	mul.wide.u32 	%rd208, %r82, 16;
	mov.u64 	%rd209, _ZZ13hawser_unpackE9fragments;
	add.s64 	%rd210, %rd209, %rd208;
	st.shared.v2.u32 	[%rd210], {%r85, %r86};
	st.shared.u64 	[%rd210+8], %rd207;
LBB0_3:
	bar.sync 0;
	add.s32 	%r90, %r2, %r3;
	cvt.u64.u32 	%rd211, %r90;
	setp.le.u64 	%p18, %rd199, %rd211;
	@%p18 bra 	LBB0_19;
	mul.wide.u32 	%rd212, %r3, 16;
	mov.u64 	%rd213, _ZZ13hawser_unpackE9fragments;
	add.s64 	%rd214, %rd213, %rd212;
	ld.shared.v2.u32 	{%r92, %r93}, [%rd214];
	mov.u32 %r91, %ctaid.z;
	mul.wide.u32 	%rd279, %r91, 8192;
	cvt.u64.u32 	%rd9, %r93;
	setp.ge.u64 	%p19, %rd279, %rd9;
	@%p19 bra 	LBB0_19;
	ld.shared.u64 	%rd215, [%rd214+8];
	add.s64 	%rd6, %rd215, %rd196;
	cvt.u64.u32 	%rd216, %r92;
	add.s64 	%rd7, %rd193, %rd216;
	and.b32  	%r94, %r82, 31;
	cvt.u64.u32 	%rd10, %r94;
	setp.eq.s32 	%p20, %r94, 0;
	selp.u32 	%r164, 1, 0, %p20;
	add.s32 	%r95, %r82, 1;
	and.b32  	%r167, %r95, 31;
	cvt.u64.u32 	%rd217, %r82;
	and.b64  	%rd11, %rd217, 31;
	cvt.u32.u64 	%r96, %rd9;
	bra.uni 	LBB0_6;
LBB0_17:
	add.s64 	%rd274, %rd13, %rd10;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1006, 0;
	@p st.global.u8 [%rd274], %r1005;
	}
	add.s64 	%rd275, %rd17, %rd274;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1008, 0;
	@p st.global.u8 [%rd275], %r1007;
	}
LBB0_18:
	mov.u32 %r1015, %nctaid.z;
	mul.wide.u32 	%rd278, %r1015, 8192;
	add.s64 	%rd279, %rd278, %rd279;
	setp.lt.u64 	%p59, %rd279, %rd9;
	@%p59 bra 	LBB0_6;
	bra.uni 	LBB0_19;
LBB0_6:
	cvt.u32.u64 	%r97, %rd279;
	sub.s32 	%r98, %r96, %r97;
	add.s64 	%rd13, %rd6, %rd279;
	add.s64 	%rd14, %rd7, %rd279;
	min.u32 	%r6, %r98, 8192;
	setp.gt.u32 	%p21, %r6, 63;
	@%p21 bra 	LBB0_10;
	cvt.u32.u64 	%r1009, %rd10;
	setp.ge.u32 	%p57, %r1009, %r6;
	@%p57 bra 	LBB0_18;
	mov.u64 	%rd280, %rd11;
LBB0_9:
	add.s64 	%rd276, %rd14, %rd280;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1011, 0;
	@p ld.global.u8 %r1010, [%rd276];
	}
	add.s64 	%rd277, %rd13, %rd280;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1011, 0;
	@p st.global.u8 [%rd277], %r1010;
	}
	add.s64 	%rd280, %rd280, 32;
	cvt.u32.u64 	%r1014, %rd280;
	setp.lt.u32 	%p58, %r1014, %r6;
	@%p58 bra 	LBB0_9;
	bra.uni 	LBB0_18;
LBB0_10:
	cvt.u32.u64 	%r103, %rd10;
	sub.s64 	%rd220, %rd14, %rd13;
	cvt.u32.u64 	%r7, %rd220;
	and.b32  	%r8, %r7, 15;
	cvt.u32.u64 	%r104, %rd13;
	neg.s32 	%r105, %r104;
	and.b32  	%r106, %r105, 15;
	setp.lt.u32 	%p22, %r106, %r8;
	or.b32  	%r107, %r106, 16;
	selp.b32 	%r108, %r107, %r106, %p22;
	sub.s32 	%r109, %r6, %r108;
	add.s32 	%r110, %r109, %r8;
	shr.u32 	%r111, %r110, 4;
	setp.ne.s32 	%p23, %r8, 0;
	selp.s32 	%r112, -1, 0, %p23;
	add.s32 	%r9, %r111, %r112;
	mad.lo.s32 	%r113, %r9, -16, %r109;
	cvt.u64.u32 	%rd221, %r108;
	mul.wide.u32 	%rd222, %r9, 16;
	add.s64 	%rd17, %rd222, %rd221;
	add.s64 	%rd218, %rd14, %rd10;
	setp.gt.u32 	%p24, %r108, %r103;
	selp.u32 	%r1006, 1, 0, %p24;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1006, 0;
	@p ld.global.u8 %r1005, [%rd218];
	}
	add.s64 	%rd219, %rd17, %rd218;
	setp.gt.u32 	%p25, %r113, %r103;
	selp.u32 	%r1008, 1, 0, %p25;
	{
	.reg .pred p;
	setp.ne.u32 p, %r1008, 0;
	@p ld.global.u8 %r1007, [%rd219];
	}
	add.s64 	%rd18, %rd13, %rd221;
	add.s64 	%rd19, %rd14, %rd221;
	@%p23 bra 	LBB0_14;
	bra.uni 	LBB0_11;
LBB0_14:
	setp.eq.s32 	%p26, %r9, 0;
	@%p26 bra 	LBB0_17;
	cvt.u64.u32 	%rd223, %r8;
	sub.s64 	%rd20, %rd19, %rd223;
	shr.u32 	%r192, %r8, 3;
	bfe.u32 	%r216, %r7, 2, 1;
	shl.b32 	%r115, %r8, 3;
	and.b32  	%r236, %r115, 24;
	mov.u32 	%r1018, 0;
LBB0_16:
	setp.eq.s32 	%p27, %r103, 0;
	or.b32  	%r906, %r1018, %r103;
	mul.wide.u32 	%rd241, %r906, 16;
	add.s64 	%rd224, %rd241, %rd20;
	setp.le.u32 	%p28, %r906, %r9;
	selp.u32 	%r120, 1, 0, %p28;
	{
	.reg .pred p;
	setp.ne.u32 p, %r120, 0;
	@p ld.global.v4.u32 {%r163, %r170, %r177, %r184}, [%rd224];
	}
	or.b32  	%r907, %r906, 32;
	mul.wide.u32 	%rd242, %r907, 16;
	add.s64 	%rd225, %rd242, %rd20;
	setp.le.u32 	%p29, %r907, %r9;
	selp.u32 	%r125, 1, 0, %p29;
	{
	.reg .pred p;
	setp.ne.u32 p, %r125, 0;
	@p ld.global.v4.u32 {%r162, %r169, %r176, %r183}, [%rd225];
	}
	or.b32  	%r908, %r906, 64;
	mul.wide.u32 	%rd243, %r908, 16;
	add.s64 	%rd226, %rd243, %rd20;
	setp.le.u32 	%p30, %r908, %r9;
	selp.u32 	%r130, 1, 0, %p30;
	{
	.reg .pred p;
	setp.ne.u32 p, %r130, 0;
	@p ld.global.v4.u32 {%r255, %r262, %r269, %r276}, [%rd226];
	}
	or.b32  	%r909, %r906, 96;
	mul.wide.u32 	%rd244, %r909, 16;
	add.s64 	%rd227, %rd244, %rd20;
	setp.le.u32 	%p31, %r909, %r9;
	selp.u32 	%r135, 1, 0, %p31;
	{
	.reg .pred p;
	setp.ne.u32 p, %r135, 0;
	@p ld.global.v4.u32 {%r348, %r355, %r362, %r369}, [%rd227];
	}
	or.b32  	%r910, %r906, 128;
	mul.wide.u32 	%rd245, %r910, 16;
	add.s64 	%rd228, %rd245, %rd20;
	setp.le.u32 	%p32, %r910, %r9;
	selp.u32 	%r140, 1, 0, %p32;
	{
	.reg .pred p;
	setp.ne.u32 p, %r140, 0;
	@p ld.global.v4.u32 {%r441, %r448, %r455, %r462}, [%rd228];
	}
	or.b32  	%r911, %r906, 160;
	mul.wide.u32 	%rd246, %r911, 16;
	add.s64 	%rd229, %rd246, %rd20;
	setp.le.u32 	%p33, %r911, %r9;
	selp.u32 	%r145, 1, 0, %p33;
	{
	.reg .pred p;
	setp.ne.u32 p, %r145, 0;
	@p ld.global.v4.u32 {%r534, %r541, %r548, %r555}, [%rd229];
	}
	or.b32  	%r912, %r906, 192;
	mul.wide.u32 	%rd247, %r912, 16;
	add.s64 	%rd230, %rd247, %rd20;
	setp.le.u32 	%p34, %r912, %r9;
	selp.u32 	%r150, 1, 0, %p34;
	{
	.reg .pred p;
	setp.ne.u32 p, %r150, 0;
	@p ld.global.v4.u32 {%r627, %r634, %r641, %r648}, [%rd230];
	}
	or.b32  	%r913, %r906, 224;
	mul.wide.u32 	%rd248, %r913, 16;
	add.s64 	%rd231, %rd248, %rd20;
	setp.le.u32 	%p35, %r913, %r9;
	selp.u32 	%r155, 1, 0, %p35;
	{
	.reg .pred p;
	setp.ne.u32 p, %r155, 0;
	@p ld.global.v4.u32 {%r720, %r727, %r734, %r741}, [%rd231];
	}
	add.s32 	%r914, %r906, 256;
	mul.wide.u32 	%rd249, %r914, 16;
	add.s64 	%rd232, %rd249, %rd20;
	setp.le.u32 	%p36, %r914, %r9;
	and.pred  	%p37, %p27, %p36;
	selp.u32 	%r160, 1, 0, %p37;
	{
	.reg .pred p;
	setp.ne.u32 p, %r160, 0;
	@p ld.global.v4.u32 {%r156, %r157, %r158, %r159}, [%rd232];
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r161, %r162, %r163, p;
	}
	shfl.sync.idx.b32 %r198, %r161, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r168, %r169, %r170, p;
	}
	shfl.sync.idx.b32 %r202, %r168, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r175, %r176, %r177, p;
	}
	shfl.sync.idx.b32 %r179, %r175, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r182, %r183, %r184, p;
	}
	shfl.sync.idx.b32 %r186, %r182, %r167, 31, -1;
	add.s64 	%rd233, %rd241, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r189, %r177, %r163, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r214, %r184, %r170, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r218, %r198, %r177, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r222, %r202, %r184, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r226, %r179, %r198, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r209, %r186, %r202, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r213, %r214, %r189, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r235, %r218, %r214, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r239, %r222, %r218, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r243, %r226, %r222, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r229, %r209, %r226, p;
	}
	shf.r.wrap.b32 %r233, %r213, %r235, %r236;
	shf.r.wrap.b32 %r237, %r235, %r239, %r236;
	shf.r.wrap.b32 %r241, %r239, %r243, %r236;
	shf.r.wrap.b32 %r245, %r243, %r229, %r236;
	setp.lt.u32 	%p38, %r906, %r9;
	selp.u32 	%r253, 1, 0, %p38;
	{
	.reg .pred p;
	setp.ne.u32 p, %r253, 0;
	@p st.global.v4.u32 [%rd233], {%r233, %r237, %r241, %r245};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r254, %r255, %r162, p;
	}
	shfl.sync.idx.b32 %r291, %r254, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r261, %r262, %r169, p;
	}
	shfl.sync.idx.b32 %r295, %r261, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r268, %r269, %r176, p;
	}
	shfl.sync.idx.b32 %r272, %r268, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r275, %r276, %r183, p;
	}
	shfl.sync.idx.b32 %r279, %r275, %r167, 31, -1;
	add.s64 	%rd234, %rd242, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r282, %r176, %r162, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r307, %r183, %r169, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r311, %r291, %r176, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r315, %r295, %r183, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r319, %r272, %r291, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r302, %r279, %r295, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r306, %r307, %r282, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r328, %r311, %r307, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r332, %r315, %r311, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r336, %r319, %r315, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r322, %r302, %r319, p;
	}
	shf.r.wrap.b32 %r326, %r306, %r328, %r236;
	shf.r.wrap.b32 %r330, %r328, %r332, %r236;
	shf.r.wrap.b32 %r334, %r332, %r336, %r236;
	shf.r.wrap.b32 %r338, %r336, %r322, %r236;
	setp.lt.u32 	%p39, %r907, %r9;
	selp.u32 	%r346, 1, 0, %p39;
	{
	.reg .pred p;
	setp.ne.u32 p, %r346, 0;
	@p st.global.v4.u32 [%rd234], {%r326, %r330, %r334, %r338};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r347, %r348, %r255, p;
	}
	shfl.sync.idx.b32 %r384, %r347, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r354, %r355, %r262, p;
	}
	shfl.sync.idx.b32 %r388, %r354, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r361, %r362, %r269, p;
	}
	shfl.sync.idx.b32 %r365, %r361, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r368, %r369, %r276, p;
	}
	shfl.sync.idx.b32 %r372, %r368, %r167, 31, -1;
	add.s64 	%rd235, %rd243, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r375, %r269, %r255, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r400, %r276, %r262, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r404, %r384, %r269, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r408, %r388, %r276, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r412, %r365, %r384, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r395, %r372, %r388, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r399, %r400, %r375, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r421, %r404, %r400, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r425, %r408, %r404, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r429, %r412, %r408, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r415, %r395, %r412, p;
	}
	shf.r.wrap.b32 %r419, %r399, %r421, %r236;
	shf.r.wrap.b32 %r423, %r421, %r425, %r236;
	shf.r.wrap.b32 %r427, %r425, %r429, %r236;
	shf.r.wrap.b32 %r431, %r429, %r415, %r236;
	setp.lt.u32 	%p40, %r908, %r9;
	selp.u32 	%r439, 1, 0, %p40;
	{
	.reg .pred p;
	setp.ne.u32 p, %r439, 0;
	@p st.global.v4.u32 [%rd235], {%r419, %r423, %r427, %r431};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r440, %r441, %r348, p;
	}
	shfl.sync.idx.b32 %r477, %r440, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r447, %r448, %r355, p;
	}
	shfl.sync.idx.b32 %r481, %r447, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r454, %r455, %r362, p;
	}
	shfl.sync.idx.b32 %r458, %r454, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r461, %r462, %r369, p;
	}
	shfl.sync.idx.b32 %r465, %r461, %r167, 31, -1;
	add.s64 	%rd236, %rd244, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r468, %r362, %r348, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r493, %r369, %r355, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r497, %r477, %r362, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r501, %r481, %r369, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r505, %r458, %r477, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r488, %r465, %r481, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r492, %r493, %r468, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r514, %r497, %r493, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r518, %r501, %r497, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r522, %r505, %r501, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r508, %r488, %r505, p;
	}
	shf.r.wrap.b32 %r512, %r492, %r514, %r236;
	shf.r.wrap.b32 %r516, %r514, %r518, %r236;
	shf.r.wrap.b32 %r520, %r518, %r522, %r236;
	shf.r.wrap.b32 %r524, %r522, %r508, %r236;
	setp.lt.u32 	%p41, %r909, %r9;
	selp.u32 	%r532, 1, 0, %p41;
	{
	.reg .pred p;
	setp.ne.u32 p, %r532, 0;
	@p st.global.v4.u32 [%rd236], {%r512, %r516, %r520, %r524};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r533, %r534, %r441, p;
	}
	shfl.sync.idx.b32 %r570, %r533, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r540, %r541, %r448, p;
	}
	shfl.sync.idx.b32 %r574, %r540, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r547, %r548, %r455, p;
	}
	shfl.sync.idx.b32 %r551, %r547, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r554, %r555, %r462, p;
	}
	shfl.sync.idx.b32 %r558, %r554, %r167, 31, -1;
	add.s64 	%rd237, %rd245, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r561, %r455, %r441, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r586, %r462, %r448, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r590, %r570, %r455, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r594, %r574, %r462, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r598, %r551, %r570, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r581, %r558, %r574, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r585, %r586, %r561, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r607, %r590, %r586, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r611, %r594, %r590, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r615, %r598, %r594, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r601, %r581, %r598, p;
	}
	shf.r.wrap.b32 %r605, %r585, %r607, %r236;
	shf.r.wrap.b32 %r609, %r607, %r611, %r236;
	shf.r.wrap.b32 %r613, %r611, %r615, %r236;
	shf.r.wrap.b32 %r617, %r615, %r601, %r236;
	setp.lt.u32 	%p42, %r910, %r9;
	selp.u32 	%r625, 1, 0, %p42;
	{
	.reg .pred p;
	setp.ne.u32 p, %r625, 0;
	@p st.global.v4.u32 [%rd237], {%r605, %r609, %r613, %r617};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r626, %r627, %r534, p;
	}
	shfl.sync.idx.b32 %r663, %r626, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r633, %r634, %r541, p;
	}
	shfl.sync.idx.b32 %r667, %r633, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r640, %r641, %r548, p;
	}
	shfl.sync.idx.b32 %r644, %r640, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r647, %r648, %r555, p;
	}
	shfl.sync.idx.b32 %r651, %r647, %r167, 31, -1;
	add.s64 	%rd238, %rd246, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r654, %r548, %r534, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r679, %r555, %r541, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r683, %r663, %r548, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r687, %r667, %r555, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r691, %r644, %r663, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r674, %r651, %r667, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r678, %r679, %r654, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r700, %r683, %r679, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r704, %r687, %r683, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r708, %r691, %r687, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r694, %r674, %r691, p;
	}
	shf.r.wrap.b32 %r698, %r678, %r700, %r236;
	shf.r.wrap.b32 %r702, %r700, %r704, %r236;
	shf.r.wrap.b32 %r706, %r704, %r708, %r236;
	shf.r.wrap.b32 %r710, %r708, %r694, %r236;
	setp.lt.u32 	%p43, %r911, %r9;
	selp.u32 	%r718, 1, 0, %p43;
	{
	.reg .pred p;
	setp.ne.u32 p, %r718, 0;
	@p st.global.v4.u32 [%rd238], {%r698, %r702, %r706, %r710};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r719, %r720, %r627, p;
	}
	shfl.sync.idx.b32 %r756, %r719, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r726, %r727, %r634, p;
	}
	shfl.sync.idx.b32 %r760, %r726, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r733, %r734, %r641, p;
	}
	shfl.sync.idx.b32 %r737, %r733, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r740, %r741, %r648, p;
	}
	shfl.sync.idx.b32 %r744, %r740, %r167, 31, -1;
	add.s64 	%rd239, %rd247, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r747, %r641, %r627, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r772, %r648, %r634, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r776, %r756, %r641, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r780, %r760, %r648, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r784, %r737, %r756, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r767, %r744, %r760, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r771, %r772, %r747, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r793, %r776, %r772, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r797, %r780, %r776, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r801, %r784, %r780, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r787, %r767, %r784, p;
	}
	shf.r.wrap.b32 %r791, %r771, %r793, %r236;
	shf.r.wrap.b32 %r795, %r793, %r797, %r236;
	shf.r.wrap.b32 %r799, %r797, %r801, %r236;
	shf.r.wrap.b32 %r803, %r801, %r787, %r236;
	setp.lt.u32 	%p44, %r912, %r9;
	selp.u32 	%r811, 1, 0, %p44;
	{
	.reg .pred p;
	setp.ne.u32 p, %r811, 0;
	@p st.global.v4.u32 [%rd239], {%r791, %r795, %r799, %r803};
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r812, %r156, %r720, p;
	}
	shfl.sync.idx.b32 %r849, %r812, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r819, %r157, %r727, p;
	}
	shfl.sync.idx.b32 %r853, %r819, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r826, %r158, %r734, p;
	}
	shfl.sync.idx.b32 %r830, %r826, %r167, 31, -1;
	{
	.reg .pred p;
	setp.ne.u32 p, %r164, 0;
	selp.b32 %r833, %r159, %r741, p;
	}
	shfl.sync.idx.b32 %r837, %r833, %r167, 31, -1;
	add.s64 	%rd240, %rd248, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r840, %r734, %r720, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r865, %r741, %r727, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r869, %r849, %r734, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r873, %r853, %r741, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r877, %r830, %r849, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r192, 0;
	selp.b32 %r860, %r837, %r853, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r864, %r865, %r840, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r886, %r869, %r865, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r890, %r873, %r869, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r894, %r877, %r873, p;
	}
	{
	.reg .pred p;
	setp.ne.u32 p, %r216, 0;
	selp.b32 %r880, %r860, %r877, p;
	}
	shf.r.wrap.b32 %r884, %r864, %r886, %r236;
	shf.r.wrap.b32 %r888, %r886, %r890, %r236;
	shf.r.wrap.b32 %r892, %r890, %r894, %r236;
	shf.r.wrap.b32 %r896, %r894, %r880, %r236;
	setp.lt.u32 	%p45, %r913, %r9;
	selp.u32 	%r904, 1, 0, %p45;
	{
	.reg .pred p;
	setp.ne.u32 p, %r904, 0;
	@p st.global.v4.u32 [%rd240], {%r884, %r888, %r892, %r896};
	}
	add.s32 	%r1018, %r1018, 256;
	setp.lt.u32 	%p46, %r1018, %r9;
	@%p46 bra 	LBB0_16;
	bra.uni 	LBB0_17;
LBB0_11:
	setp.eq.s32 	%p47, %r9, 0;
	@%p47 bra 	LBB0_17;
	mov.u32 	%r1017, 0;
LBB0_13:
	or.b32  	%r997, %r1017, %r103;
	mul.wide.u32 	%rd266, %r997, 16;
	add.s64 	%rd250, %rd266, %rd19;
	setp.lt.u32 	%p48, %r997, %r9;
	selp.u32 	%r920, 1, 0, %p48;
	{
	.reg .pred p;
	setp.ne.u32 p, %r920, 0;
	@p ld.global.v4.u32 {%r916, %r917, %r918, %r919}, [%rd250];
	}
	or.b32  	%r998, %r997, 32;
	mul.wide.u32 	%rd267, %r998, 16;
	add.s64 	%rd251, %rd267, %rd19;
	setp.lt.u32 	%p49, %r998, %r9;
	selp.u32 	%r925, 1, 0, %p49;
	{
	.reg .pred p;
	setp.ne.u32 p, %r925, 0;
	@p ld.global.v4.u32 {%r921, %r922, %r923, %r924}, [%rd251];
	}
	or.b32  	%r999, %r997, 64;
	mul.wide.u32 	%rd268, %r999, 16;
	add.s64 	%rd252, %rd268, %rd19;
	setp.lt.u32 	%p50, %r999, %r9;
	selp.u32 	%r930, 1, 0, %p50;
	{
	.reg .pred p;
	setp.ne.u32 p, %r930, 0;
	@p ld.global.v4.u32 {%r926, %r927, %r928, %r929}, [%rd252];
	}
	or.b32  	%r1000, %r997, 96;
	mul.wide.u32 	%rd269, %r1000, 16;
	add.s64 	%rd253, %rd269, %rd19;
	setp.lt.u32 	%p51, %r1000, %r9;
	selp.u32 	%r935, 1, 0, %p51;
	{
	.reg .pred p;
	setp.ne.u32 p, %r935, 0;
	@p ld.global.v4.u32 {%r931, %r932, %r933, %r934}, [%rd253];
	}
	or.b32  	%r1001, %r997, 128;
	mul.wide.u32 	%rd270, %r1001, 16;
	add.s64 	%rd254, %rd270, %rd19;
	setp.lt.u32 	%p52, %r1001, %r9;
	selp.u32 	%r940, 1, 0, %p52;
	{
	.reg .pred p;
	setp.ne.u32 p, %r940, 0;
	@p ld.global.v4.u32 {%r936, %r937, %r938, %r939}, [%rd254];
	}
	or.b32  	%r1002, %r997, 160;
	mul.wide.u32 	%rd271, %r1002, 16;
	add.s64 	%rd255, %rd271, %rd19;
	setp.lt.u32 	%p53, %r1002, %r9;
	selp.u32 	%r945, 1, 0, %p53;
	{
	.reg .pred p;
	setp.ne.u32 p, %r945, 0;
	@p ld.global.v4.u32 {%r941, %r942, %r943, %r944}, [%rd255];
	}
	or.b32  	%r1003, %r997, 192;
	mul.wide.u32 	%rd272, %r1003, 16;
	add.s64 	%rd256, %rd272, %rd19;
	setp.lt.u32 	%p54, %r1003, %r9;
	selp.u32 	%r950, 1, 0, %p54;
	{
	.reg .pred p;
	setp.ne.u32 p, %r950, 0;
	@p ld.global.v4.u32 {%r946, %r947, %r948, %r949}, [%rd256];
	}
	or.b32  	%r1004, %r997, 224;
	mul.wide.u32 	%rd273, %r1004, 16;
	add.s64 	%rd257, %rd273, %rd19;
	setp.lt.u32 	%p55, %r1004, %r9;
	selp.u32 	%r955, 1, 0, %p55;
	{
	.reg .pred p;
	setp.ne.u32 p, %r955, 0;
	@p ld.global.v4.u32 {%r951, %r952, %r953, %r954}, [%rd257];
	}
	add.s64 	%rd258, %rd266, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r920, 0;
	@p st.global.v4.u32 [%rd258], {%r916, %r917, %r918, %r919};
	}
	add.s64 	%rd259, %rd267, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r925, 0;
	@p st.global.v4.u32 [%rd259], {%r921, %r922, %r923, %r924};
	}
	add.s64 	%rd260, %rd268, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r930, 0;
	@p st.global.v4.u32 [%rd260], {%r926, %r927, %r928, %r929};
	}
	add.s64 	%rd261, %rd269, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r935, 0;
	@p st.global.v4.u32 [%rd261], {%r931, %r932, %r933, %r934};
	}
	add.s64 	%rd262, %rd270, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r940, 0;
	@p st.global.v4.u32 [%rd262], {%r936, %r937, %r938, %r939};
	}
	add.s64 	%rd263, %rd271, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r945, 0;
	@p st.global.v4.u32 [%rd263], {%r941, %r942, %r943, %r944};
	}
	add.s64 	%rd264, %rd272, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r950, 0;
	@p st.global.v4.u32 [%rd264], {%r946, %r947, %r948, %r949};
	}
	add.s64 	%rd265, %rd273, %rd18;
	{
	.reg .pred p;
	setp.ne.u32 p, %r955, 0;
	@p st.global.v4.u32 [%rd265], {%r951, %r952, %r953, %r954};
	}
	add.s32 	%r1017, %r1017, 256;
	setp.lt.u32 	%p56, %r1017, %r9;
	@%p56 bra 	LBB0_13;
	bra.uni 	LBB0_17;
LBB0_19:
	ret;
}
)ptx";

}  // namespace hawser
